// npm's smpp as the operator: says its port, then line by line what it sees. Throttles the first three submits, takes the
// others, reports each as delivered, and hands over one incoming message. Ends when the last session has unbound.
'use strict';

const smpp = require('smpp');

const say = (line) => console.log(line);
const THROTTLED = 3;
let submitted = 0;

const server = smpp.createServer((session) => {
  session.on('error', () => {});
  session.on('bind_transceiver', (pdu) => {
    say('bound ' + pdu.system_id);
    session.send(pdu.response({ system_id: 'node' }));
  });
  session.on('submit_sm', (pdu) => {
    submitted += 1;
    if (submitted <= THROTTLED) {
      say('throttled');
      session.send(pdu.response({ command_status: smpp.ESME_RTHROTTLED }));
      return;
    }
    const id = 'n-' + submitted;
    say('submit ' + pdu.destination_addr + ' ' + pdu.short_message.message);
    session.send(pdu.response({ message_id: id }));
    session.deliver_sm({
      esm_class: 4,
      source_addr: pdu.destination_addr,
      destination_addr: pdu.source_addr,
      short_message: 'id:' + id + ' sub:001 dlvrd:001 submit date:2611220339 done date:2611220340 stat:DELIVRD err:000 text:',
    }, (answer) => say('receipt answered ' + answer.command_status));
    if (submitted === THROTTLED + 1) {
      session.deliver_sm({ source_addr: '48601000001', destination_addr: '48700', short_message: 'Zażółć' },
        (answer) => say('incoming answered ' + answer.command_status));
    }
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
