//! The program. The library's documentation describes its structure.

fn main() -> std::process::ExitCode {
    keypack::main()
}
