//! `demo record --keyboard` in a terminal of its own: what is played is recorded, and the terminal is given back in every case.

mod program;

use program::Program;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcgetattr, tcsetwinsize};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(30);

/// The program before a player.
struct Player {
    child: Child,
    /// Our end of the terminal, and the program's.
    keyboard: File,
    terminal: File,
    modes: String,
    shown: Arc<Mutex<String>>,
}

impl Player {
    fn new(program: &Program, line: &str) -> Self {
        Self::with(program, line, &[])
    }

    fn with(program: &Program, line: &str, variables: &[(&str, &str)]) -> Self {
        let keyboard = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&keyboard).unwrap();
        unlockpt(&keyboard).unwrap();
        let name = ptsname(&keyboard, Vec::new()).unwrap().into_string().unwrap();
        let terminal = {
            use std::os::unix::fs::OpenOptionsExt;
            let no_controlling = i32::try_from(rustix::fs::OFlags::NOCTTY.bits()).unwrap();
            OpenOptions::new().read(true).write(true).custom_flags(no_controlling).open(name).unwrap()
        };
        resize(&terminal, 80, 24);
        let ours = program.command(line);
        // A session whose terminal this is, as a shell would start it.
        let mut command = Command::new("setsid");
        command.arg("--ctty").arg(ours.get_program()).args(ours.get_args()).current_dir(program.folder());
        command.envs(ours.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.env_remove("NO_COLOR").env("TERM", "xterm-256color").envs(variables.iter().copied());
        let end = || Stdio::from(terminal.try_clone().unwrap());
        let child = command.stdin(end()).stdout(end()).stderr(end()).spawn().unwrap();
        let keyboard = File::from(keyboard);
        let shown = Arc::new(Mutex::new(String::new()));
        let (mut screen, heard) = (keyboard.try_clone().unwrap(), Arc::clone(&shown));
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = screen.read(&mut bytes) {
                heard.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..count]));
            }
        });
        let modes = modes(&terminal);
        Self { child, keyboard, terminal, modes, shown }
    }

    fn shown(&self) -> String {
        self.shown.lock().unwrap().clone()
    }

    /// Waits until this was shown once more since the last time, and forgets everything before.
    fn sees(&self, text: &str) {
        let began = Instant::now();
        loop {
            let mut shown = self.shown.lock().unwrap();
            if let Some(at) = shown.find(text) {
                shown.drain(..at + text.len());
                return;
            }
            assert!(began.elapsed() < PATIENCE, "`{text}` is not in\n{}", shown.escape_debug());
            drop(shown);
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn presses(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    fn signalled(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap().success());
    }

    /// Waits for the end; the terminal is then what it was before.
    fn ends(mut self) -> (ExitStatus, String) {
        let began = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(began.elapsed() < PATIENCE, "it does not end: {}", self.shown().escape_debug());
            std::thread::sleep(Duration::from_millis(5));
        };
        // What was written last is on its way.
        std::thread::sleep(Duration::from_millis(100));
        if status.signal().is_none() {
            assert_eq!(modes(&self.terminal), self.modes);
            let shown = self.shown();
            let left = shown.rfind("\u{1b}[?1049l").unwrap_or_else(|| panic!("the screen is still taken: {}", shown.escape_debug()));
            assert!(shown.contains("\u{1b}[?25h") && shown.contains("\u{1b}[<1u") && !shown[left..].contains("\u{1b}[?25l"));
        }
        (status, self.shown())
    }
}

/// The terminal's modes and control characters.
fn modes(terminal: &File) -> String {
    format!("{:?}", tcgetattr(terminal).unwrap())
}

fn resize(terminal: &File, columns: u16, rows: u16) {
    tcsetwinsize(terminal, Winsize { ws_col: columns, ws_row: rows, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
}

/// Episodes and steps of a set, as `demo inspect` counts them.
fn counted(program: &Program, set: &str) -> (u64, u64) {
    let summary: serde_json::Value = serde_json::from_str(&program.ok(&format!("demo inspect {set} --json"))).unwrap();
    (summary["episodes"].as_u64().unwrap(), summary["steps"].as_u64().unwrap())
}

const RIGHT: &str = "\u{1b}[C";
/// Every episode takes 200 steps.
const CAR: &str = "demo record --keyboard mountain_car --out set";
const FAST: &str = "--speed 100";
/// A step takes a third of a second.
const SLOW: &str = "--speed 0.1";

#[test]
fn what_is_played_is_recorded() {
    let program = Program::new();
    for (environment, keys) in
        [("cartpole", RIGHT), ("mountain_car", "a"), ("pendulum", RIGHT), ("acrobot", "1"), ("cartpole_continuous", "d")]
    {
        let mut player =
            Player::new(&program, &format!("demo record --keyboard {environment} --episodes 2 --speed 100 --seed 3 --out {environment}"));
        player.sees("Episode 1 of 2: press a key");
        player.presses(keys);
        player.sees("Episode 2 of 2: press a key");
        std::thread::sleep(Duration::from_millis(600));
        player.presses(keys);
        let (ended, said) = player.ends();
        assert_eq!(ended.code(), Some(0), "{said}");
        assert!(said.contains("2 episodes") && said.contains(&format!("demonstrations: {environment}")), "{said}");
        let (episodes, steps) = counted(&program, environment);
        assert!(episodes == 2 && steps > 10, "{environment}: {episodes} episodes, {steps} steps");
    }
    let set = heirloom::demo::Demonstrations::open(&program.path("cartpole")).unwrap();
    assert!(set.is_finished() && set.header().recorders == [heirloom::demo::Recorder::Keyboard { seed: 3 }]);
    for episode in set.first(2).unwrap() {
        assert!(episode.terminated && episode.actions.iter().all(|action| *action == 1.0), "the key was held: {:?}", episode.actions);
        assert!(episode.start.is_some_and(|start| start.seed == 3));
    }
}

#[test]
fn who_leaves_keeps_what_has_ended_and_can_go_on() {
    let program = Program::new();
    let mut player = Player::new(&program, &format!("{CAR} {FAST} --episodes 2"));
    player.sees("press a key");
    player.presses(RIGHT);
    player.sees("Episode 2 of 2: press a key");
    player.presses("q");
    let (ended, said) = player.ends();
    assert_eq!(ended.code(), Some(0));
    assert!(said.contains("1 of 2 episodes are in set") && said.contains("--keyboard mountain_car --seed 0 --out set --resume"), "{said}");
    assert_eq!(counted(&program, "set"), (1, 200));

    // Begun again, paused, gone on with and left in the middle: the running episode is dropped.
    let mut player = Player::new(&program, &format!("{CAR} {SLOW} --episodes 2 --resume"));
    for (text, key) in [
        ("press a key", " "),
        ("step 0 of 200", "r"),
        ("press a key", " "),
        ("step 0 of 200", "p"),
        ("Paused: press a key", " "),
        ("\u{1b}[?2026l", "\u{3}"),
    ] {
        player.sees(text);
        player.presses(key);
    }
    assert_eq!(player.ends().0.code(), Some(130));
    assert_eq!(counted(&program, "set"), (1, 200));

    let mut player = Player::new(&program, &format!("{CAR} {FAST} --episodes 2 --resume"));
    player.sees("Episode 2 of 2: press a key");
    player.presses(RIGHT);
    assert_eq!(player.ends().0.code(), Some(0));
    assert_eq!(counted(&program, "set"), (2, 400));
    assert!(!program.path("set/journal").exists());
}

#[test]
fn signals_give_the_terminal_back_and_a_kill_loses_the_running_episode_only() {
    let program = Program::new();
    let mut player = Player::new(&program, &format!("{CAR} {FAST} --episodes 9"));
    player.sees("press a key");
    player.presses(RIGHT);
    player.sees("Episode 2 of 9: press a key");
    player.signalled("-TERM");
    assert_eq!(player.ends().0.code(), Some(143));
    for (signal, code) in [("-INT", Some(130)), ("-TERM", Some(143)), ("-KILL", None)] {
        let mut player = Player::new(&program, &format!("{CAR} {SLOW} --episodes 9 --resume"));
        player.sees("Episode 2 of 9: press a key");
        player.presses(RIGHT);
        player.sees("step 0 of 200");
        player.signalled(signal);
        assert_eq!(player.ends().0.code(), code);
        assert_eq!(counted(&program, "set"), (1, 200), "{signal}");
    }
}

#[test]
fn another_size_is_drawn_anew_and_colours_can_be_declined() {
    let program = Program::new();
    let mut player = Player::with(&program, CAR, &[("NO_COLOR", "1")]);
    player.sees("press a key");
    for (columns, rows) in [(120, 40), (20, 5), (1, 1), (80, 24)] {
        resize(&player.terminal, columns, rows);
        player.sees("\u{1b}[2J");
    }
    player.sees("press a key");
    assert!(!player.shown().contains("\u{1b}[3"), "{}", player.shown().escape_debug());
    player.presses("q");
    assert_eq!(player.ends().0.code(), Some(0));
    let mut player = Player::new(&program, "demo record --keyboard cartpole --out other");
    player.sees("\u{1b}[33m");
    // Ctrl-C in kitty's protocol.
    player.presses("\u{1b}[99;5u");
    assert_eq!(player.ends().0.code(), Some(130));
}

#[test]
fn what_cannot_be_played_is_refused() {
    let program = Program::new();
    let keyboard = "demo record --keyboard cartpole";
    program.run(keyboard).refused(2, &["there is no terminal to play in", "hint: start it in a terminal"]);
    assert!(!program.path("demos").exists());
    program.run(&format!("{keyboard} --speed 0")).refused(2, &["`--speed` cannot be 0"]);
    program.run("demo record --keyboard cartpol").refused(2, &["cartpol"]);
    for (line, part) in [
        ("demo record cartpole", "heirloom demo record [OPTIONS] --keyboard <ENVIRONMENT>"),
        ("demo record --keyboard", "a value is required for '--keyboard <ENVIRONMENT>'"),
        ("demo record a b --keyboard c", "cannot be used with"),
        ("demo record a b --speed 2", "cannot be used with"),
    ] {
        program.run(line).refused(2, &[part]);
    }
    program.run("demo record --keyboard pendulum --resume --out nothing").refused(2, &["there is no terminal"]);
    program.run(&format!("{keyboard} --stochastic")).refused(2, &["cannot be used with"]);
}
