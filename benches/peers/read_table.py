"""Reading the Parquet files of a set of demonstrations: pyarrow's read_table on every part, the median of seven. A step is a row's transition."""
import glob, os, sys, time, pyarrow as pa, pyarrow.parquet as pq
from common import parser, Clock, out
p = parser(task="read"); p.add_argument("--set", default=os.path.join(os.path.dirname(__file__), "../../target/demonstrations/million")); a = p.parse_args()
pa.set_cpu_count(a.threads); pa.set_io_thread_count(a.threads)
parts = sorted(glob.glob(os.path.join(a.set, "part-*.parquet")))


def read():
    began = time.perf_counter()
    tables = [pq.read_table(part, use_threads=a.threads > 1) for part in parts]
    seconds = time.perf_counter() - began
    assert sum(table["reward"].null_count for table in tables) + 1_000_000 == sum(map(len, tables))
    return seconds


read()
with Clock() as c: times = sorted(read() for _ in range(7))
out("pyarrow", "demo-load", 7_000_000, c, threads=a.threads, median_seconds=times[3], least_seconds=times[0], parts=len(parts))
