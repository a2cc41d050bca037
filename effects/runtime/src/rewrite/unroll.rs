//! Several copies of a short loop's body.
//!
//! The engine looks at the deadline where a loop begins anew, by a call that may return: what the loop holds in vector
//! registers is written to the stack and read again each time round, which costs a filter more than its arithmetic. A
//! loop whose body stands there eight times does so an eighth as often, whatever its condition is: a copy that would go
//! round goes on with the next copy, one that ends leaves the loop.

use wasm_encoder::{BlockType, Instruction};

/// Most copies of a body.
const COPIES_MAX: usize = 8;

/// Instructions of all copies of a body together. With twice as many a chain of eight effects was no faster, and with
/// twice as many copies, too, slower.
const LOOP_INSTRUCTIONS: usize = 256;

/// The code with its innermost loops unrolled, as long as no more than `room` instructions are added.
pub(super) fn unrolled<'a>(code: &[Instruction<'a>], room: &mut usize) -> Vec<Instruction<'a>> {
    let mut unrolled = Vec::with_capacity(code.len());
    let mut done = 0;
    for (start, end) in innermost_loops(code) {
        let (body, Instruction::Loop(kind)) = (&code[start + 1..end], &code[start]) else {
            continue;
        };
        let copies = (LOOP_INSTRUCTIONS / body.len().max(1)).min(COPIES_MAX);
        let added = copies.saturating_sub(1) * body.len();
        // A function's type may have parameters, which would have to be carried along.
        if copies < 2 || added > *room || matches!(kind, BlockType::FunctionType(_)) {
            continue;
        }
        *room -= added;
        unrolled.extend_from_slice(&code[done..start]);
        append_loop(*kind, body, copies, &mut unrolled);
        done = end + 1;
    }
    unrolled.extend_from_slice(&code[done..]);
    unrolled
}

/// Where the loops that have no other inside begin and end.
fn innermost_loops(code: &[Instruction<'_>]) -> Vec<(usize, usize)> {
    let mut open = Vec::new();
    let mut found = Vec::new();
    let mut latest = usize::MAX;
    for (at, instruction) in code.iter().enumerate() {
        match instruction {
            Instruction::Block(_) | Instruction::If(_) => open.push(usize::MAX),
            Instruction::Loop(_) => {
                open.push(at);
                latest = at;
            }
            Instruction::End => {
                if let Some(start) =
                    open.pop().filter(|start| *start != usize::MAX && *start == latest)
                {
                    found.push((start, at));
                }
            }
            _ => {}
        }
    }
    found
}

/// A block that the copies leave, around a loop that the last one begins anew; in it a block a copy, whose end is the next.
fn append_loop<'a>(
    kind: BlockType,
    body: &[Instruction<'a>],
    copies: usize,
    code: &mut Vec<Instruction<'a>>,
) {
    code.extend([Instruction::Block(kind), Instruction::Loop(kind)]);
    for _ in 1..copies {
        code.push(Instruction::Block(BlockType::Empty));
        append_copy(body, 2, code);
        code.extend([Instruction::Br(2), Instruction::End]);
    }
    append_copy(body, 1, code);
    code.extend([Instruction::End, Instruction::End]);
}

/// The body within so many more blocks: what branched to the loop's start goes to the innermost of them.
fn append_copy<'a>(body: &[Instruction<'a>], blocks: u32, code: &mut Vec<Instruction<'a>>) {
    let mut depth = 0_u32;
    for instruction in body {
        match instruction {
            Instruction::Block(_) | Instruction::If(_) => depth += 1,
            Instruction::End => depth -= 1,
            _ => {}
        }
        let moved = |label: u32| if label > depth { label.saturating_add(blocks) } else { label };
        code.push(match instruction {
            Instruction::Br(label) => Instruction::Br(moved(*label)),
            Instruction::BrIf(label) => Instruction::BrIf(moved(*label)),
            Instruction::BrTable(labels, other) => {
                let labels: Vec<u32> = labels.iter().map(|label| moved(*label)).collect();
                Instruction::BrTable(labels.into(), moved(*other))
            }
            same => same.clone(),
        });
    }
}
