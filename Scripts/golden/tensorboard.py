"""Writes what NormaTests expects of event files, `Tests/NormaTests/Golden/TensorBoard/events.bin`.

    python Scripts/golden/tensorboard.py

Needs tensorboard: its own messages and its own writer of records. The file has five events: the file's version at 1000 s, two
scalars at 1001.5 s and step 1, a scalar of a tag beyond ASCII and a long one at step 300, a picture of 7 x 3 pixels whose
bytes are 0 ... 199 at step 2, and the start of a resumed run at step 3.
"""

import io
import pathlib

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter


def scalars(*values):
    return Summary(value=[Summary.Value(tag=tag, simple_value=value) for tag, value in values])


picture = Summary.Image(height=3, width=7, colorspace=1, encoded_image_string=bytes(range(200)))
events = [
    Event(wall_time=1000, file_version="brain.Event:2"),
    Event(wall_time=1001.5, step=1, summary=scalars(("loss/student", 0.25), ("zero", 0))),
    Event(wall_time=1002.25, step=300, summary=scalars(("größe", -1e30), ("x" * 150, 3.14159))),
    Event(wall_time=1003, step=2, summary=Summary(value=[Summary.Value(tag="input", image=picture)])),
    Event(wall_time=1004, step=3, session_log=SessionLog(status=SessionLog.START)),
]
file = io.BytesIO()
writer = RecordWriter(file)
for event in events:
    writer.write(event.SerializeToString())
target = pathlib.Path("Tests/NormaTests/Golden/TensorBoard/events.bin")
target.parent.mkdir(parents=True, exist_ok=True)
target.write_bytes(file.getvalue())
