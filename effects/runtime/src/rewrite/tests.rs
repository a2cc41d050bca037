//! Rewritten modules against the same modules as they were.

use super::{Reserved, rewritten};
use wasmtime::{Engine, Instance, Module, Store};

/// Loops of every kind, each a body of a function from two numbers to one.
const LOOPS: &[(&str, &str)] = &[
    (
        "counts at its end",
        "(loop $l (local.set $s (i32.add (i32.mul (local.get $s) (i32.const 31)) (local.get $i)))
           (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
         (local.get $s)",
    ),
    (
        "is left at its start",
        "(block $out (loop $l (br_if $out (i32.ge_u (local.get $i) (local.get $n)))
           (local.set $s (i32.xor (i32.rotl (local.get $s) (i32.const 3)) (local.get $i)))
           (local.set $i (i32.add (local.get $i) (i32.const 1))) (br $l)))
         (local.get $s)",
    ),
    (
        "has a result",
        "(loop $l (result i32) (local.set $i (i32.add (local.get $i) (i32.const 3)))
           (br_if $l (i32.lt_u (local.get $i) (local.get $n)))
           (i32.sub (local.get $i) (local.get $m)))",
    ),
    (
        "goes on from within blocks",
        "(loop $l (block $b (local.set $i (i32.add (local.get $i) (i32.const 1)))
             (br_if $b (i32.and (local.get $i) (i32.const 1)))
             (if (i32.and (local.get $i) (i32.const 2)) (then (br_if $l (i32.lt_u (local.get $i) (local.get $n))))
               (else (local.set $s (i32.add (local.get $s) (local.get $m))))))
           (local.set $s (i32.add (local.get $s) (i32.const 5)))
           (br_if $l (i32.lt_u (local.get $i) (local.get $n))))
         (local.get $s)",
    ),
    (
        "chooses where to go",
        "(block $a (block $b (loop $l (local.set $i (i32.add (local.get $i) (i32.const 1)))
             (block $c (br_table $l $c $b $a $l (i32.and (i32.mul (local.get $i) (local.get $m)) (i32.const 7))))
             (br_if $l (i32.lt_u (local.get $i) (local.get $n)))
             (return (i32.const -7)))) (return (i32.mul (local.get $i) (i32.const 3))))
         (local.get $i)",
    ),
    (
        "is inside another",
        "(loop $o (local.set $j (i32.const 0))
           (loop $l (local.set $s (i32.add (local.get $s) (i32.xor (local.get $i) (local.get $j))))
             (br_if $o (i32.eq (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $m)))
             (br_if $l (i32.lt_u (local.tee $j (i32.add (local.get $j) (i32.const 1))) (local.get $m))))
           (br_if $o (i32.lt_u (local.get $i) (local.get $n))))
         (local.get $s)",
    ),
    ("never goes round", "(loop $l (local.set $s (local.get $n))) (local.get $s)"),
    (
        "ends in a trap",
        "(loop $l (local.set $s (i32.div_u (i32.const 99) (i32.sub (local.get $n) (local.get $i))))
           (local.set $i (i32.add (local.get $i) (i32.const 1))) (br $l)) unreachable",
    ),
];

fn module(body: &str) -> Vec<u8> {
    let function = r#"(func (export "f") (param $n i32) (param $m i32) (result i32)
        (local $i i32) (local $j i32) (local $s i32)"#;
    wat::parse_str(format!("(module {function} {body}))")).unwrap()
}

/// What the function returns for many numbers; `None` for a trap.
fn results(wasm: &[u8]) -> Vec<Option<i32>> {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let instance =
        Instance::new(&mut store, &Module::from_binary(&engine, wasm).unwrap(), &[]).unwrap();
    let function = instance.get_typed_func::<(i32, i32), i32>(&mut store, "f").unwrap();
    let numbers = (0..40).flat_map(|n| [1, 2, 5, 9].map(|m| (n, m)));
    numbers.map(|numbers| function.call(&mut store, numbers).ok()).collect()
}

#[test]
fn unrolled_loops_do_what_they_did() {
    for (what, body) in LOOPS {
        let before = module(body);
        let after = rewritten(&before, None).unwrap();
        assert!(after.len() > before.len() + 2 * body.len() / 10, "{what}: {}", after.len());
        assert_eq!(results(&after), results(&before), "a loop that {what}");
    }
}

#[test]
fn long_loops_and_long_modules_are_left_alone() {
    let step = "(local.set $s (i32.add (local.get $s) (local.get $n)))";
    let long = module(&format!("(loop {}) (local.get $s)", step.repeat(60)));
    // Names of locals are gone.
    assert!(rewritten(&long, None).unwrap().len() < long.len());
    let short = format!("(loop {})", step.repeat(4));
    let wasm = module(&format!("{} (local.get $s)", short.repeat(10_000)));
    let added = rewritten(&wasm, None).unwrap().len() - wasm.len();
    // Some two bytes an instruction, and the blocks.
    assert!((500_000..2_000_000).contains(&added), "{added}");
}

#[test]
fn bytes_that_are_no_module_stay() {
    for bytes in [&b""[..], b"\0asm\x01\0\0\0\x01\xff", b"RIFF"] {
        assert_eq!(rewritten(bytes, Some(16)).unwrap(), bytes);
    }
}

#[test]
fn names_of_the_fixed_memory_are_reserved() {
    let import = r#"(import "wavemill" "memory_grow" (func (param i32) (result i32)))"#;
    let export = r#"(memory (export "fx_memory_pages=1,2") 1)"#;
    for part in [import, export] {
        let wasm = wat::parse_str(format!("(module {part})")).unwrap();
        assert_eq!(rewritten(&wasm, Some(16)), Err(Reserved), "{part}");
        assert!(rewritten(&wasm, None).is_ok(), "{part}");
    }
}
