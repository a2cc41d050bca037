//! The binary `wavemill`.

use std::process::ExitCode;

fn main() -> ExitCode {
    wavemill::main()
}
