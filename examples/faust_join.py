"""Joins labels with data of one's own, here the crew of each well: python examples/faust_join.py worker --without-web.

Crews come on a topic of their own with the same key and as many partitions, so that a well's crew and its labels meet in one
worker, however many there are. BROKER, PREFIX and PARTITIONS say where.
"""

import os

import faust

BROKER, PREFIX = os.environ.get("BROKER", "localhost:9092"), os.environ.get("PREFIX", "wellsentry")

app = faust.App(f"{PREFIX}-join", broker=f"kafka://{BROKER}", topic_partitions=int(os.environ.get("PARTITIONS", "12")))
crews = app.topic(f"{PREFIX}-crews", key_type=str, value_type=str, value_serializer="raw")
labels = app.topic(f"{PREFIX}.labels", value_serializer="json")
crew_of = app.Table(f"{PREFIX}-crew-of", default=lambda: "nobody")


@app.agent(crews, name="crews")
async def keep(stream: faust.Stream[str]) -> None:
    async for well, crew in stream.items():
        crew_of[well] = crew
        print(f"{crew} looks after {well}")


@app.agent(labels, name="join")
async def join(stream: faust.Stream[dict[str, str]]) -> None:
    async for label in stream:
        if label["label"] == "anomalous":
            print(
                f"{crew_of[label['machine_id']]}: look at {label['machine_id']}, {label['because']} ({label['label_id']})"
            )


if __name__ == "__main__":
    app.main()
