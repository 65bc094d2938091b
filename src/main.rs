//! The `heirloom` program: the library's command line with the environments of this crate.

fn main() -> std::process::ExitCode {
    heirloom::cli::main_with(heirloom::env::Registry::standard())
}
