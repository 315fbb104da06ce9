"""PyPI's smpp34 as the operator: says its port, then line by line what it sees. Throttles the first three submits, takes
the others, reports each as delivered, and hands over one incoming message. Ends when the last session has unbound."""
import asyncio
import socket

import smpp34

THROTTLED = 3


def say(line):
    print(line, flush=True)


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


async def report(esme, event, message_id):
    text = f"id:{message_id} sub:001 dlvrd:001 submit date:2611220339 done date:2611220340 stat:DELIVRD err:000 text:"
    answer = await esme.deliver_sm(
        event.source_addr, text.encode(), source_addr=event.destination_addr, esm_class=4)
    say(f"receipt answered {answer.command_status}")


async def hand_over(esme):
    answer = await esme.deliver_sm(
        "48700", "Zażółć".encode("utf-16-be"), source_addr="48601000001", data_coding=8)
    say(f"incoming answered {answer.command_status}")


async def main():
    port = free_port()
    server = smpp34.Server("127.0.0.1", port, system_id="smpp34")
    await server.start()
    say(port)
    esmes, submitted, tasks = {}, 0, set()

    def begin(work):
        task = asyncio.create_task(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    while True:
        event = await server.next()
        if isinstance(event, smpp34.Esme):
            esmes[event.session_id] = event
            say(f"bound {event.system_id}")
        elif isinstance(event, smpp34.Unbound):
            say("unbound")
            break
        else:
            submitted += 1
            if submitted <= THROTTLED:
                say("throttled")
                event.reject(smpp34.ESME_RTHROTTLED)
                continue
            say(f"submit {event.destination_addr} {event.short_message.decode('ascii')}")
            event.accept(f"p-{submitted}")
            esme = esmes[event.session_id]
            begin(report(esme, event, f"p-{submitted}"))
            if submitted == THROTTLED + 1:
                begin(hand_over(esme))
    await server.stop()


asyncio.run(main())
