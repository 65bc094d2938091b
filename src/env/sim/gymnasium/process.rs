//! One Python process: started, asked one thing at a time with a deadline, and ended with everything that it started.
//!
//! Its standard input is the memory that both see, its standard output one end of a socket on which messages go both ways, its standard
//! error a pipe that is read only while an answer is waited for, so that a flood costs no memory and no thread. `bridge.py` moves the
//! first two out of the way before anything is imported. It has a process group of its own, which is ended as a whole, and the kernel
//! ends it when this process ends.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{MemfdFlags, OFlags, fcntl_getfl, fcntl_setfl, ftruncate, memfd_create};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};
use std::io::{Read, Write};
use std::num::NonZero;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, mpsc};
use std::time::{Duration, Instant};

const SCRIPT: &str = include_str!("bridge.py");
/// Of an answer: sequence, status, length.
const HEADER: usize = 16;
/// Of a question: sequence, kind, length, for how long to stay awake afterwards.
const ASKED: usize = 20;
/// No message is longer.
const MOST_BYTES: usize = 16 << 20;
/// What is kept of its standard error.
const TAIL: usize = 4096;
/// How long it may take to end when it is asked to.
const GRACE: Duration = Duration::from_secs(2);

/// What a process is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    /// Which versions it has.
    Hello = 1,
    /// The spaces of an environment.
    Describe = 2,
    /// So many environments.
    Make = 3,
    /// To begin an episode.
    Reset = 4,
    /// To step the environments of a mask.
    Step = 5,
    /// To end.
    Close = 6,
}

impl Ask {
    const fn doing(self) -> &'static str {
        match self {
            Self::Hello => "starting",
            Self::Describe | Self::Make => "making the environment",
            Self::Reset => "resetting",
            Self::Step => "stepping",
            Self::Close => "closing",
        }
    }
}

/// An answer.
pub(super) enum Answer {
    /// It was done.
    Fine(Vec<u8>),
    /// It was done but in some environments: JSON of `[(seat, what was raised)]`.
    SomeFailed(Vec<u8>),
    /// It could not be done: JSON of `(what was raised, the module that is missing)`.
    Failed(Vec<u8>),
}

/// There is no answer: the process died, hung, or spoke nonsense. It is ended by now.
#[derive(Debug)]
pub(super) struct Lost {
    /// What happened, as the rest of a sentence: "was ended by signal 9 while stepping".
    pub(super) how: String,
    /// The last lines of its standard error.
    pub(super) said: String,
}

/// A running Python.
pub(super) struct Process {
    child: Child,
    ended: OwnedFd,
    wire: UnixStream,
    errors: Option<ChildStderr>,
    tail: Vec<u8>,
    memory: OwnedFd,
    sequence: u64,
    over: bool,
    _running: Running,
}

type Spawned = std::io::Result<Child>;

/// The kernel's promise to end a child with its parent is about the parent's *thread*: all are started by this one, which lives on.
static SPAWNER: LazyLock<mpsc::Sender<(Command, mpsc::Sender<Spawned>)>> = LazyLock::new(|| {
    let (jobs, queue) = mpsc::channel::<(Command, mpsc::Sender<Spawned>)>();
    std::thread::spawn(move || {
        for (mut command, answer) in queue {
            let _ = answer.send(command.spawn());
        }
    });
    jobs
});

/// Processes that run, each with a thread of ours that waits for it.
static RUNNING: AtomicUsize = AtomicUsize::new(0);

/// Counts one.
struct Running;

impl Running {
    fn one_more() -> Self {
        RUNNING.fetch_add(1, Ordering::Relaxed);
        Self
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        RUNNING.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Microseconds for which both sides look for a message awake: to sleep and be woken takes as long as several steps of a small environment. None
/// where there is not a core for each side of each process.
fn awake() -> u32 {
    #[expect(clippy::disallowed_methods, reason = "how long is waited for what comes changes nothing that comes")]
    static CORES: LazyLock<usize> = LazyLock::new(|| std::thread::available_parallelism().map_or(1, NonZero::get));
    if 2 * RUNNING.load(Ordering::Relaxed) <= *CORES { 500 } else { 0 }
}

impl Process {
    /// Starts an interpreter, which is not waited for.
    ///
    /// # Errors
    /// What the operating system refuses.
    pub(super) fn start(python: &str, patience: Duration) -> std::io::Result<Self> {
        let memory = memfd_create("heirloom-gymnasium", MemfdFlags::CLOEXEC)?;
        let (wire, theirs) = UnixStream::pair()?;
        wire.set_write_timeout(Some(patience))?;
        let mut command = Command::new(python);
        command.args(["-u", "-c", SCRIPT]).arg(std::process::id().to_string()).process_group(0);
        command.stdin(Stdio::from(memory.try_clone()?)).stdout(Stdio::from(OwnedFd::from(theirs))).stderr(Stdio::piped());
        // Hashes of strings are the order of sets: the same in every run. Shards are the parallelism.
        command.env("PYTHONHASHSEED", "0");
        if std::env::var_os("OMP_NUM_THREADS").is_none() {
            command.env("OMP_NUM_THREADS", "1");
        }
        let (answer, spawned) = mpsc::channel();
        let gone = || std::io::Error::other("the thread that starts processes is gone");
        SPAWNER.send((command, answer)).map_err(|_| gone())?;
        let mut child = spawned.recv().map_err(|_| gone())??;
        let pid = Pid::from_child(&child);
        let errors = child.stderr.take();
        if let Some(errors) = &errors {
            fcntl_setfl(errors, fcntl_getfl(errors)? | OFlags::NONBLOCK)?;
        }
        let ended = pidfd_open(pid, PidfdFlags::empty())?;
        Ok(Self { child, ended, wire, errors, tail: Vec::new(), memory, sequence: 0, over: false, _running: Running::one_more() })
    }

    /// The memory that both see, made to hold so many numbers.
    pub(super) fn resize(&self, numbers: usize) -> std::io::Result<()> {
        Ok(ftruncate(&self.memory, 8 * numbers as u64)?)
    }

    /// Writes numbers into the memory, from number `at` on.
    pub(super) fn put(&self, at: usize, numbers: &[f64]) -> std::io::Result<()> {
        let mut bytes: &[u8] = bytemuck::cast_slice(numbers);
        let mut offset = 8 * at as u64;
        while !bytes.is_empty() {
            let written = rustix::io::pwrite(&self.memory, bytes, offset)?;
            (bytes, offset) = (&bytes[written..], offset + written as u64);
        }
        Ok(())
    }

    /// Reads numbers from the memory, from number `at` on.
    pub(super) fn get(&self, at: usize, numbers: &mut [f64]) -> std::io::Result<()> {
        let mut bytes: &mut [u8] = bytemuck::cast_slice_mut(numbers);
        let mut offset = 8 * at as u64;
        while !bytes.is_empty() {
            let read = rustix::io::pread(&self.memory, &mut *bytes, offset)?;
            if read == 0 {
                return Err(std::io::Error::other("the memory was cut short"));
            }
            (bytes, offset) = (&mut bytes[read..], offset + read as u64);
        }
        Ok(())
    }

    /// Asks, and waits for the answer no longer than `patience`.
    ///
    /// # Errors
    /// When there is none; the process is ended then.
    pub(super) fn ask(&mut self, ask: Ask, body: &[u8], patience: Duration) -> Result<Answer, Lost> {
        let answered = if self.over { Err("was ended before".to_owned()) } else { self.exchange(ask, body, patience) };
        answered.map_err(|how| {
            let said = self.end();
            Lost { how: format!("{how} while {}", ask.doing()), said }
        })
    }

    fn exchange(&mut self, ask: Ask, body: &[u8], patience: Duration) -> Result<Answer, String> {
        let deadline = Instant::now() + patience;
        self.sequence += 1;
        let mut message = Vec::with_capacity(ASKED + body.len());
        message.extend_from_slice(&self.sequence.to_le_bytes());
        message.extend_from_slice(&(ask as u32).to_le_bytes());
        message.extend_from_slice(&u32::try_from(body.len()).map_err(|_| "was to be sent too long a message")?.to_le_bytes());
        message.extend_from_slice(&awake().to_le_bytes());
        message.extend_from_slice(body);
        if let Err(error) = self.wire.write_all(&message) {
            return Err(self.death(Duration::from_millis(200)).unwrap_or_else(|| format!("could not be written to ({error})")));
        }
        let mut header = [0; HEADER];
        self.receive(&mut header, deadline, patience)?;
        let [a, b, c] = [0, 8, 12];
        let sequence = u64::from_le_bytes(header[a..b].try_into().expect("8 bytes"));
        let status = u32::from_le_bytes(header[b..c].try_into().expect("4 bytes"));
        let length = u32::from_le_bytes(header[c..].try_into().expect("4 bytes")) as usize;
        if sequence != self.sequence {
            return Err(format!("answered message {sequence} when {} was asked", self.sequence));
        }
        if status > 2 || length > MOST_BYTES {
            return Err(format!("answered with status {status} and {length} bytes"));
        }
        let mut body = vec![0; length];
        self.receive(&mut body, deadline, patience)?;
        Ok(match status {
            0 => Answer::Fine(body),
            1 => Answer::Failed(body),
            _ => Answer::SomeFailed(body),
        })
    }

    /// Fills `buffer` from the wire. Meanwhile standard error is emptied, and the end of the process noticed, whoever else holds the wire.
    fn receive(&mut self, mut buffer: &mut [u8], deadline: Instant, patience: Duration) -> Result<(), String> {
        let asleep = Instant::now() + Duration::from_micros(awake().into());
        while !buffer.is_empty() {
            let now = Instant::now();
            let left = deadline.saturating_duration_since(now);
            if left.is_zero() {
                return Err(format!("did not answer within {} s", patience.as_secs_f64()));
            }
            let at_most = if now < asleep { Duration::ZERO } else { left };
            let (readable, speaks, ended) = self.wait(at_most).map_err(|error| format!("cannot be waited for ({error})"))?;
            if !(readable || speaks || ended) {
                std::thread::yield_now();
            }
            if speaks {
                self.listen();
            }
            if readable {
                match self.wire.read(buffer) {
                    Ok(0) => return Err(self.death(GRACE).unwrap_or_else(|| "closed the wire".to_owned())),
                    Ok(read) => buffer = &mut buffer[read..],
                    Err(error) => {
                        return Err(self.death(Duration::from_millis(200)).unwrap_or_else(|| format!("cannot be read from ({error})")));
                    }
                }
            } else if ended {
                return Err(self.death(GRACE).unwrap_or_else(|| "ended".to_owned()));
            }
        }
        Ok(())
    }

    /// Waits until something happens: whether the wire is readable, standard error is, and the process has ended.
    fn wait(&self, at_most: Duration) -> rustix::io::Result<(bool, bool, bool)> {
        let wire = PollFd::new(&self.wire, PollFlags::IN);
        let ended = PollFd::new(&self.ended, PollFlags::IN);
        let errors = self.errors.as_ref().map_or(self.ended.as_fd(), AsFd::as_fd);
        let mut all = [wire, ended, PollFd::from_borrowed_fd(errors, PollFlags::IN)];
        let timeout = Timespec::try_from(at_most).unwrap_or(Timespec { tv_sec: 1_000_000, tv_nsec: 0 });
        match poll(&mut all, Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error),
        }
        let happened = |fd: &PollFd<'_>| !fd.revents().is_empty();
        Ok((happened(&all[0]), self.errors.is_some() && happened(&all[2]), happened(&all[1])))
    }

    /// Reads what standard error holds now, at most one pipe full, and keeps its end.
    fn listen(&mut self) {
        let Some(errors) = &mut self.errors else { return };
        let mut room = [0; 16 * 1024];
        for _ in 0..4 {
            match errors.read(&mut room) {
                Ok(0) => {
                    self.errors = None;
                    return;
                }
                Ok(read) => {
                    self.tail.extend_from_slice(&room[..read]);
                    let surplus = self.tail.len().saturating_sub(TAIL);
                    self.tail.drain(..surplus);
                }
                Err(_) => return,
            }
        }
    }

    /// How the process ended, if it does within a moment.
    fn death(&mut self, moment: Duration) -> Option<String> {
        self.wait_for_end(moment).then(|| self.child.try_wait().ok().flatten().map_or_else(|| "ended".to_owned(), in_words))
    }

    fn wait_for_end(&self, moment: Duration) -> bool {
        let mut ended = [PollFd::new(&self.ended, PollFlags::IN)];
        let deadline = Instant::now() + moment;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let timeout = Timespec::try_from(left).unwrap_or(Timespec { tv_sec: 0, tv_nsec: 0 });
            match poll(&mut ended, Some(&timeout)) {
                Ok(count) => return count > 0,
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return false,
            }
        }
    }

    /// Ends it and all that it started, and gives the last that it said.
    fn end(&mut self) -> String {
        self.over = true;
        // The group first: as long as its leader is not waited for, the number is not another's.
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        if self.wait_for_end(GRACE) {
            let _ = self.child.wait();
        }
        self.listen();
        last_lines(&self.tail)
    }
}

impl Drop for Process {
    /// Asks it to end, and makes it when it does not within [`GRACE`].
    fn drop(&mut self) {
        if !self.over {
            let _ = self.wire.set_write_timeout(Some(Duration::from_millis(100)));
            let _ = self.exchange(Ask::Close, &[], GRACE);
            self.end();
        }
    }
}

fn in_words(status: ExitStatus) -> String {
    match (status.signal(), status.code()) {
        (Some(signal), _) => format!("was ended by signal {signal}"),
        (_, Some(code)) => format!("ended itself with exit code {code}"),
        _ => "ended".to_owned(),
    }
}

/// The last three lines with something in them, as one, without what could steer a terminal.
fn last_lines(tail: &[u8]) -> String {
    let text = String::from_utf8_lossy(tail);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let last: String = lines[lines.len().saturating_sub(3)..].join(" | ").chars().filter(|c| !c.is_control()).collect();
    let surplus = last.chars().count().saturating_sub(400);
    last.chars().skip(surplus).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_one_line_that_steers_no_terminal() {
        assert_eq!(last_lines(b"a\n\nb\n\x1b[31mc\n d \n"), "b | [31mc | d");
        assert_eq!(last_lines(b""), "");
        assert_eq!(last_lines(&[b'x'; 4096]).len(), 400);
    }

    #[test]
    fn an_interpreter_that_is_none_ends_at_once_and_says_so() {
        let mut process = Process::start("false", Duration::from_secs(5)).unwrap();
        let lost = process.ask(Ask::Hello, &[], Duration::from_secs(5)).err().unwrap();
        assert_eq!(lost.how, "ended itself with exit code 1 while starting");
        assert!(Process::start("/no/such/python", Duration::from_secs(5)).is_err());
    }
}
