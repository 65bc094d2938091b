#!/usr/bin/env python3
"""Do the ecosystem's own packages read what we write? TensorBoard reads a run's events, safetensors a policy's weights, Minari demonstrations.

    python benches/interop.py run RUN [POLICY]           with tensorboard==2.21.0, safetensors==0.8.0, numpy
    python benches/interop.py minari DEMOS ROOT NAME     with minari==0.5.4, h5py, pillow, pyarrow, numpy
"""
import csv, os, sys


def run(run, policy=None):
    from safetensors.numpy import load_file
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

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

    weights = load_file(os.path.join(policy or os.path.join(run, "best"), "weights.safetensors"))
    print("safetensors read", {name: (str(value.dtype), value.shape) for name, value in list(weights.items())[:4]}, "...")


def minari(demonstrations, root, name):
    """Minari's numbers are those of our Parquet, which pyarrow reads: every one, bit for bit."""
    os.environ["MINARI_DATASETS_PATH"] = root
    import minari
    import numpy as np
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    parts = sorted(part for part in os.listdir(demonstrations) if part.endswith(".parquet"))
    table = arrow.concat_tables([parquet.read_table(os.path.join(demonstrations, part)) for part in parts])
    columns = {column: table[column].to_numpy(zero_copy_only=False) for column in table.column_names if column != "snapshot"}
    columns_of = lambda prefix: [column for column in columns if column == prefix or column.startswith(prefix + ".")]
    stacked = lambda prefix, rows: np.stack([columns[column][rows] for column in columns_of(prefix)], axis=-1)
    same = lambda found, expected: found.shape == expected.shape and np.array_equal(found, expected)

    assert list(minari.list_local_datasets()) == [name]
    dataset = minari.load_dataset(name)
    assert dataset.total_episodes == len(np.unique(columns["episode"])) and dataset.total_steps == len(table) - dataset.total_episodes
    assert dataset.observation_space.dtype == np.float64 and dataset.observation_space.shape == (len(columns_of("observation")),)
    discrete = hasattr(dataset.action_space, "n")
    for episode in dataset:
        rows = np.flatnonzero(columns["episode"] == episode.id)
        before = rows[:-1]
        assert same(episode.observations, stacked("observation", rows)), episode.id
        assert same(episode.actions, columns["action"][before].astype(np.int64) if discrete else stacked("action", before)), episode.id
        assert same(episode.rewards, columns["reward"][before].astype(float)), episode.id
        assert same(episode.terminations, columns["terminated"][before].astype(bool)) and episode.terminations.dtype == bool, episode.id
        assert same(episode.truncations, columns["truncated"][before].astype(bool)), episode.id
        for column in columns_of("info"):
            assert same(episode.infos[column.removeprefix("info.")], columns[column][before].astype(float)), (episode.id, column)
        assert all(dataset.action_space.contains(action) for action in episode.actions), episode.id
    environment = dataset.recover_environment() if dataset.env_spec else None
    print(f"minari read {dataset.total_episodes} episodes with {dataset.total_steps} steps, bit for bit; it makes {environment}")


{"run": run, "minari": minari}[sys.argv[1]](*sys.argv[2:])
