#!/usr/bin/env python3
"""Do the ecosystem's own packages read what we write? TensorBoard reads a run's events, safetensors a policy's weights.

    python benches/interop.py RUN [POLICY]      with tensorboard==2.21.0, safetensors==0.8.0, numpy
"""
import csv, os, sys

from safetensors.numpy import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

run = sys.argv[1]
events = EventAccumulator(run, size_guidance={"scalars": 0}).Reload()
rows = list(csv.DictReader(open(os.path.join(run, "metrics.csv"))))
for tag, column in [("train/value_loss", "value_loss"), ("train/entropy", "entropy"), ("rollout/episode_return", "episode_return")]:
    expected = [(int(row["steps"]), float(row[column])) for row in rows if row[column]]
    found = [(event.step, event.value) for event in events.Scalars(tag)]
    assert len(found) == len(expected), (tag, len(found), len(expected))
    for (step, value), (step_expected, value_expected) in zip(found, expected):
        assert step == step_expected and abs(value - value_expected) <= 1e-6 * max(1.0, abs(value_expected)), (tag, step, value, value_expected)
measured = list(csv.DictReader(open(os.path.join(run, "evaluations.csv"))))
assert [event.step for event in events.Scalars("evaluation/return")] == [int(row["steps"]) for row in measured]
print(f"tensorboard read {len(events.Tags()['scalars'])} curves of {len(rows)} updates")

weights = load_file(os.path.join(sys.argv[2] if len(sys.argv) > 2 else os.path.join(run, "best"), "weights.safetensors"))
print("safetensors read", {name: (str(value.dtype), value.shape) for name, value in list(weights.items())[:4]}, "...")
