// npm's smpp as the operator: says its port, then line by line what it sees, and ends after the first unbind.
'use strict';

const smpp = require('smpp');

const say = (line) => console.log(line);

function deliver(session, fields) {
  session.deliver_sm(fields, (answer) => say('deliver answered ' + answer.command_status));
}

const server = smpp.createServer((session) => {
  let submitted = 0;
  session.on('error', () => {});
  session.on('bind_transceiver', (pdu) => {
    if (pdu.password !== 'secret') {
      session.send(pdu.response({ command_status: smpp.ESME_RINVPASWD }), () => session.close());
      return;
    }
    say('bound ' + pdu.system_id);
    session.send(pdu.response({ system_id: 'node' }));
  });
  session.on('submit_sm', (pdu) => {
    if (pdu.destination_addr === '48999') {
      session.send(pdu.response({ command_status: smpp.ESME_RTHROTTLED }));
      return;
    }
    submitted += 1;
    const id = 'n-' + submitted;
    say('submit ' + pdu.short_message.message);
    session.send(pdu.response({ message_id: id }));
    deliver(session, {
      esm_class: 4,
      source_addr: pdu.destination_addr,
      destination_addr: pdu.source_addr,
      short_message: 'id:' + id + ' sub:001 dlvrd:001 submit date:2611220339 done date:2611220340 stat:DELIVRD err:000 text:',
    });
    deliver(session, { source_addr: '48601000001', destination_addr: '48700', short_message: 'Zażółć' });
  });
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => {
    say('unbound');
    session.send(pdu.response(), () => {
      session.close();
      server.close();
    });
  });
});

server.listen(0, '127.0.0.1', () => say(server.address().port));
