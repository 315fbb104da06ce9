"""smpplib as the client: says line by line what it sees, and fails on anything else."""

import sys

import smpplib.client
import smpplib.consts
import smpplib.exceptions

port = int(sys.argv[1])


def say(line):
    print(line, flush=True)


def connected():
    client = smpplib.client.Client("127.0.0.1", port, timeout=10, allow_unknown_opt_params=True)
    client.connect()
    return client


wrong = connected()
try:
    wrong.bind_transceiver(system_id="us", password="wrong")
    sys.exit("a wrong password was accepted")
except smpplib.exceptions.PDUError as error:
    say("refused 0x%08x" % error.args[1])
wrong.disconnect()

client = connected()
seen = {"receipt": False, "incoming": False, "sent": False, "throttled": False}


def sent(pdu):
    seen["sent"] = True
    say("submitted " + pdu.message_id.decode())


def received(pdu):
    text = pdu.short_message.decode()
    if pdu.esm_class & smpplib.consts.SMPP_MSGTYPE_DELIVERYACK or pdu.esm_class == 4:
        seen["receipt"] = True
        fields = dict(part.split(":", 1) for part in text.split() if ":" in part)
        assert pdu.receipted_message_id.decode().rstrip("\0") == fields["id"], pdu.receipted_message_id
        say("receipt %s %s" % (fields["id"], fields["stat"]))
    else:
        seen["incoming"] = True
        say("incoming " + text)


def refused(pdu):
    seen["throttled"] = True
    say("throttled 0x%08x" % pdu.status)


client.set_message_sent_handler(sent)
client.set_message_received_handler(received)
client.set_error_pdu_handler(refused)
client.bind_transceiver(system_id="us", password="secret")
say("bound")


def submit(destination):
    client.send_message(
        source_addr_ton=smpplib.consts.SMPP_TON_ALNUM,
        source_addr="Posthorn",
        dest_addr_ton=smpplib.consts.SMPP_TON_INTL,
        dest_addr_npi=1,
        destination_addr=destination,
        short_message=b"hello @ home",
        registered_delivery=1,
    )


submit("48601000001")
while not (seen["sent"] and seen["receipt"] and seen["incoming"]):
    client.read_once()
submit("48999")
while not seen["throttled"]:
    pdu = client.read_pdu()
    assert pdu.is_error(), pdu.command
    refused(pdu)

from smpplib import smpp

client.send_pdu(smpp.make_pdu("enquire_link", client=client))
answer = client.read_pdu()
assert answer.command == "enquire_link_resp", answer.command
say("enquire_link answered")
answer = client.unbind()
assert answer.command == "unbind_resp", answer.command
say("unbound")
client.disconnect()
