//! The inputs of the B1, B2 and B3 tables: what ../../../table_inputs.h specifies, draw for draw.

pub const OPERATIONS: u32 = 6000;
pub const CLIENTS: u32 = 77 * 20;

/// The client id of document `i`: 32 bits, as random ones are.
pub fn client_id(i: u32) -> u64 {
    0x9E37_79B1u32.wrapping_mul(i + 1) as u64
}

/// A xorshift32 whose first state is `seed` times 0x9E3779B1.
pub struct Random(u32);

impl Random {
    pub fn new(seed: u32) -> Self {
        Random(seed.wrapping_mul(0x9E37_79B1))
    }

    pub fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }

    fn below(&mut self, bound: u32) -> u32 {
        self.next() % bound
    }

    fn between(&mut self, low: u32, high: u32) -> u32 {
        low + self.below(high - low + 1)
    }

    fn word(&mut self, low: u32, high: u32) -> String {
        let length = self.between(low, high);
        (0..length).map(|_| (b'a' + self.below(26) as u8) as char).collect()
    }

    fn number(&mut self) -> u32 {
        self.next() >> 1
    }
}

pub enum Operation {
    Insert(u32, String),
    Delete(u32, u32),
    InsertNumbers(u32, Vec<u32>),
    InsertElement(String),
    SetNumber(u32),
    SetString(String),
    SetUser(String),
}
use Operation::*;

/// Makes OPERATIONS steps with `step`, which appends what it does to a text of the length it is given.
fn steps(random: &mut Random, mut length: u32, step: fn(&mut Random, u32, &mut Vec<Operation>)) -> Vec<Operation> {
    let mut made = Vec::new();
    for _ in 0..OPERATIONS {
        let before = made.len();
        step(random, length, &mut made);
        for operation in &made[before..] {
            match operation {
                Insert(_, text) => length += text.len() as u32,
                Delete(_, deleted) => length -= deleted,
                _ => unreachable!(),
            }
        }
    }
    made
}

fn insert_word(random: &mut Random, length: u32, low: u32, high: u32) -> Operation {
    let index = random.below(length + 1);
    Insert(index, random.word(low, high))
}

fn insert_or_delete(random: &mut Random, index: u32, length: u32) -> Operation {
    if index == length || random.below(2) == 0 {
        Insert(index, random.word(2, 10))
    } else {
        Delete(index, random.between(1, 9.min(length - index)))
    }
}

fn insert_then_edit(random: &mut Random, length: u32, made: &mut Vec<Operation>) {
    let index = random.below(length + 1);
    let word = random.word(3, 9);
    let longer = length + word.len() as u32;
    made.push(Insert(index, word));
    made.push(insert_or_delete(random, index, longer));
}

fn seed_of(line: &str) -> u32 {
    100 * line[1..2].parse::<u32>().unwrap() + line[3..].parse::<u32>().unwrap()
}

pub const LINES: [&str; 20] = [
    "B1.1", "B1.2", "B1.3", "B1.4", "B1.5", "B1.6", "B1.7", "B1.8", "B1.9", "B1.10", "B1.11", "B2.1", "B2.2", "B2.3",
    "B2.4", "B3.1", "B3.2", "B3.3", "B3.4", "B3.5",
];

/// What the one writer of a line of B1 does.
pub fn one_user(line: &str) -> Vec<Operation> {
    let r = &mut Random::new(seed_of(line));
    let n = OPERATIONS;
    match line {
        "B1.1" => r.word(n, n).chars().enumerate().map(|(i, c)| Insert(i as u32, c.into())).collect(),
        "B1.2" => vec![Insert(0, r.word(n, n))],
        "B1.3" => r.word(n, n).chars().rev().map(|c| Insert(0, c.into())).collect(),
        "B1.4" => steps(r, 0, |r, length, made| made.push(insert_word(r, length, 1, 1))),
        "B1.5" => steps(r, 0, |r, length, made| made.push(insert_word(r, length, 2, 10))),
        "B1.6" => vec![Insert(0, r.word(n, n)), Delete(0, n)],
        "B1.7" => steps(r, 0, |r, length, made| {
            let index = r.below(length + 1);
            made.push(insert_or_delete(r, index, length));
        }),
        "B1.8" => (0..n).map(|i| InsertNumbers(i, vec![r.number()])).collect(),
        "B1.9" => vec![InsertNumbers(0, (0..n).map(|_| r.number()).collect())],
        "B1.10" => (0..n).map(|_| InsertNumbers(0, vec![r.number()])).collect(),
        "B1.11" => (0..n)
            .map(|i| {
                let index = r.below(i + 1);
                InsertNumbers(index, vec![r.number()])
            })
            .collect(),
        _ => panic!("no line {line}"),
    }
}

/// The text that both writers of a line of B2 start with, then what each does to it.
pub fn two_users(line: &str) -> (String, [Vec<Operation>; 2]) {
    let r = &mut Random::new(seed_of(line));
    let start = r.word(100, 100);
    let mut one = || match line {
        "B2.1" => vec![Insert(0, r.word(OPERATIONS, OPERATIONS))],
        "B2.2" => steps(r, 100, |r, length, made| made.push(insert_word(r, length, 1, 1))),
        "B2.3" => steps(r, 100, |r, length, made| made.push(insert_word(r, length, 3, 9))),
        "B2.4" => steps(r, 100, insert_then_edit),
        _ => panic!("no line {line}"),
    };
    let first = one();
    (start, [first, one()])
}

/// What each of the writers of a line of B3 does, one operation each.
pub fn many_users(line: &str) -> Vec<Operation> {
    (0..CLIENTS)
        .map(|i| match line {
            "B3.1" => SetNumber(i),
            "B3.2" => SetUser(i.to_string()),
            "B3.3" => SetString(i.to_string().repeat(CLIENTS as usize)),
            "B3.4" => InsertElement(i.to_string()),
            "B3.5" => Insert(0, i.to_string()),
            _ => panic!("no line {line}"),
        })
        .collect()
}
