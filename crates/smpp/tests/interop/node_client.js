// npm's smpp as the client: says line by line what it sees, and fails on anything else.
'use strict';

const smpp = require('smpp');

const port = Number(process.argv[2]);
const say = (line) => console.log(line);
const hex = (status) => '0x' + status.toString(16).padStart(8, '0');
const die = (why) => {
  console.error(why);
  process.exit(1);
};

function refusedFirst(next) {
  const session = smpp.connect({ host: '127.0.0.1', port }, () => {
    session.bind_transceiver({ system_id: 'us', password: 'wrong' }, (answer) => {
      if (answer.command_status === 0) die('a wrong password was accepted');
      say('refused ' + hex(answer.command_status));
      session.destroy();
      next();
    });
  });
  session.on('error', () => {});
}

function submit(session, destination, answered) {
  session.submit_sm(
    {
      source_addr_ton: 5,
      source_addr: 'Posthorn',
      dest_addr_ton: 1,
      dest_addr_npi: 1,
      destination_addr: destination,
      registered_delivery: 1,
      short_message: 'hello @ home',
      data_coding: 1,
    },
    answered,
  );
}

function finish(session) {
  session.enquire_link((answer) => {
    if (answer.command !== 'enquire_link_resp') die(answer.command);
    say('enquire_link answered');
    session.unbind((last) => {
      if (last.command !== 'unbind_resp') die(last.command);
      say('unbound');
      session.close();
    });
  });
}

refusedFirst(() => {
  let waiting = 4;
  const one = () => {
    waiting -= 1;
    if (waiting === 0) finish(session);
  };
  const session = smpp.connect({ host: '127.0.0.1', port }, () => {
    session.bind_transceiver({ system_id: 'us', password: 'secret' }, (answer) => {
      if (answer.command_status !== 0) die('the bind was refused: ' + hex(answer.command_status));
      say('bound');
      submit(session, '48601000001', (accepted) => {
        say('submitted ' + accepted.message_id);
        one();
      });
      submit(session, '48999', (refused) => {
        say('throttled ' + hex(refused.command_status));
        one();
      });
    });
  });
  session.on('error', die);
  session.on('deliver_sm', (pdu) => {
    const text = pdu.short_message.message;
    session.send(pdu.response(), () => {});
    if (pdu.esm_class === 4) {
      const [, id, stat] = /id:(\S+) .*stat:(\S+)/.exec(text);
      if (pdu.receipted_message_id !== id) die('two ids: ' + pdu.receipted_message_id + ' and ' + id);
      say('receipt ' + id + ' ' + stat);
    } else {
      say('incoming ' + text);
    }
    one();
  });
});
