//! `mindseye generate`: the worker program does the work; this program has no engine in it.

use std::process::{Command, ExitCode};

pub fn run(arguments: &[String]) -> ExitCode {
    let program = crate::workers::program();
    match Command::new(&program).arg("generate").args(arguments).status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("mindseye: {} can't be started: {error}. Build it with `make build`", program.display());
            ExitCode::FAILURE
        }
    }
}
