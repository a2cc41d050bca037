use super::*;

const PROCESSORS: [TargetArch; 3] = [TargetArch::x86_64, TargetArch::aarch64, TargetArch::riscv64];
const PURPOSES: [Purpose; 2] = [Purpose::Worker, Purpose::Command];

/// `AUDIT_ARCH_*` of linux/audit.h.
fn audit_number(processor: TargetArch) -> u32 {
    match processor {
        TargetArch::x86_64 => 0xc000_003e,
        TargetArch::aarch64 => 0xc000_00b7,
        TargetArch::riscv64 => 0xc000_00f3,
    }
}

/// What a filter returns for a call with these arguments: the instructions of `linux/bpf_common.h` that
/// filters are made of, over `struct seccomp_data`.
fn verdict(program: &BpfProgram, processor: TargetArch, call: u32, arguments: [u64; 6]) -> u32 {
    let mut data = Vec::from(call.to_le_bytes());
    data.extend(audit_number(processor).to_le_bytes());
    data.extend(0u64.to_le_bytes());
    data.extend(arguments.iter().flat_map(|argument| argument.to_le_bytes()));
    let (mut at, mut accumulator) = (0, 0);
    loop {
        let step = &program[at];
        at += 1;
        let jump = |is_true: bool| usize::from(if is_true { step.jt } else { step.jf });
        match step.code {
            // BPF_LD | BPF_W | BPF_ABS
            0x20 => {
                let from = step.k as usize;
                accumulator = u32::from_le_bytes(data[from..from + 4].try_into().unwrap());
            }
            // BPF_ALU | BPF_AND | BPF_K
            0x54 => accumulator &= step.k,
            // BPF_JMP | BPF_JA, BPF_JEQ, BPF_JGT, BPF_JGE
            0x05 => at += step.k as usize,
            0x15 => at += jump(accumulator == step.k),
            0x25 => at += jump(accumulator > step.k),
            0x35 => at += jump(accumulator >= step.k),
            // BPF_RET | BPF_K
            0x06 => return step.k,
            other => panic!("instruction {other:#x}"),
        }
    }
}

/// `SECCOMP_RET_ALLOW` and `SECCOMP_RET_ERRNO | ENOSYS` of linux/seccomp.h.
const ALLOW: u32 = 0x7fff_0000;
const UNKNOWN: u32 = 0x0005_0026;

#[test]
fn filters_of_all_processors_fit_the_kernel() {
    for processor in PROCESSORS {
        for purpose in PURPOSES {
            // `BPF_MAXINSNS` of linux/bpf_common.h.
            let length = program(purpose, processor).unwrap().len();
            assert!(length > CALLS.len() && length <= 4096, "{processor:?}: {length}");
        }
    }
}

#[test]
fn no_call_is_allowed_twice() {
    for processor in PROCESSORS {
        let mut names: Vec<_> = CALLS.iter().chain(calls_of(processor)).collect();
        names.extend(CALLS_OF_COMMANDS);
        let looked_at = looked_at(Purpose::Command);
        assert!(looked_at.iter().all(|rule| {
            let name = rule["syscall"].as_str().unwrap();
            !names.contains(&&name)
        }));
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}

/// Numbers of `asm/unistd_64.h` and `asm-generic/unistd.h`, written down by hand: what is asked of whom.
#[test]
fn filter_of_each_processor_allows_its_own_numbers() {
    for (processor, open, socket, execute, open_by_name) in [
        (TargetArch::x86_64, 257, 41, 59, Some(2)),
        (TargetArch::aarch64, 56, 198, 221, None),
        (TargetArch::riscv64, 56, 198, 221, None),
    ] {
        for purpose in PURPOSES {
            let program = program(purpose, processor).unwrap();
            let ask = |call: u32| verdict(&program, processor, call, [0; 6]);
            assert_eq!(ask(open), ALLOW, "{processor:?}: openat");
            assert_eq!(ask(socket), UNKNOWN, "{processor:?}: socket");
            assert_eq!(ask(execute), UNKNOWN, "{processor:?}: execve");
            assert!(open_by_name.is_none_or(|open| ask(open) == ALLOW));
            // Not given to any call yet.
            assert_eq!(ask(1_000), UNKNOWN);
        }
    }
}

#[test]
fn threads_are_allowed_and_processes_are_not() {
    let flags = |flags: i32| [u64::from(flags.unsigned_abs()), 0, 0, 0, 0, 0];
    let thread = libc::CLONE_VM | libc::CLONE_THREAD | libc::CLONE_SIGHAND | libc::CLONE_FILES;
    for (processor, clone) in
        [(TargetArch::x86_64, 56), (TargetArch::aarch64, 220), (TargetArch::riscv64, 220)]
    {
        let program = program(Purpose::Worker, processor).unwrap();
        let ask = |arguments| verdict(&program, processor, clone, arguments);
        assert_eq!(ask(flags(thread)), ALLOW);
        assert_eq!(ask(flags(libc::SIGCHLD)), UNKNOWN, "fork");
        assert_eq!(ask(flags(thread | libc::CLONE_NEWUSER)), UNKNOWN, "namespace");
    }
}

/// A call by the numbers of another processor, or of 32 bits, is another call.
#[test]
fn calls_of_another_processor_end_the_process() {
    let program = program(Purpose::Worker, TargetArch::aarch64).unwrap();
    // `SECCOMP_RET_KILL_PROCESS`.
    assert_eq!(verdict(&program, TargetArch::x86_64, 56, [0; 6]), 0x8000_0000);
}
