//! What every timed region ends with, so that no engine can put work off: see ../../../README.md.
use crate::inputs::Random;
use std::hint::black_box;
use yrs::types::ToJson;
use yrs::updates::encoder::Encode;
use yrs::{Any, Doc, GetString, ReadTxn, Transact};

const READS: usize = 1000;

#[derive(Clone, Copy, PartialEq)]
pub enum Kind {
    Text,
    Array,
    Map,
}

pub struct Fnv(u64);

impl Fnv {
    fn new() -> Self {
        Fnv(0xcbf2_9ce4_8422_2325)
    }

    fn add(mut self, bytes: &[u8]) -> Self {
        for byte in bytes {
            self.0 = (self.0 ^ *byte as u64).wrapping_mul(0x0000_0100_0000_01b3);
        }
        self
    }
}

fn read_text(text: &str) -> String {
    let whole = Fnv::new().add(text.as_bytes());
    let mut random = Random::new(1);
    let mut seen = Fnv::new();
    let mut read = |length: usize, unit: &dyn Fn(usize) -> u16| {
        for _ in 0..if length == 0 { 0 } else { READS } {
            let bytes = unit(random.next() as usize % length).to_le_bytes();
            seen = Fnv(seen.0).add(&bytes);
        }
    };
    if text.is_ascii() {
        read(text.len(), &|i| text.as_bytes()[i] as u16);
    } else {
        let units: Vec<u16> = text.encode_utf16().collect();
        read(units.len(), &|i| units[i]);
    }
    format!("{:016x}-{:016x}", whole.0, seen.0)
}

/// JSON text with sorted keys, of what the tables put into arrays and maps.
fn write_json(any: &Any, out: &mut String) {
    match any {
        Any::String(text) => {
            out.push('"');
            out.push_str(text);
            out.push('"');
        }
        Any::Array(values) => {
            out.push('[');
            for (i, value) in values.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_json(value, out);
            }
            out.push(']');
        }
        Any::Map(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort();
            out.push('{');
            for (i, key) in keys.into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                out.push_str(&format!("\"{key}\":"));
                write_json(&map[key], out);
            }
            out.push('}');
        }
        number => out.push_str(&number.to_string()),
    }
}

fn read_array(array: &Any) -> String {
    let mut text = String::new();
    write_json(array, &mut text);
    let whole = Fnv::new().add(text.as_bytes());
    let Any::Array(values) = array else { panic!("no array") };
    let mut random = Random::new(1);
    let mut seen = Fnv::new();
    for _ in 0..if values.is_empty() { 0 } else { READS } {
        text.clear();
        write_json(&values[random.next() as usize % values.len()], &mut text);
        seen = seen.add(text.as_bytes());
    }
    format!("{:016x}-{:016x}", whole.0, seen.0)
}

/// Encodes the state vector and gives the hashes of the root of that kind: `root` of a text, else "array" or "map".
pub fn readout(doc: &Doc, kind: Kind, root: &str) -> String {
    let txn = doc.transact();
    black_box(txn.state_vector().encode_v1());
    match kind {
        Kind::Text => read_text(&txn.get_text(root).unwrap().get_string(&txn)),
        Kind::Array => read_array(&txn.get_array("array").unwrap().to_json(&txn)),
        Kind::Map => {
            let mut text = String::new();
            write_json(&txn.get_map("map").unwrap().to_json(&txn), &mut text);
            format!("{:016x}", Fnv::new().add(text.as_bytes()).0)
        }
    }
}

/// The state vector as yjs writes it, clients descending, in hex; its hash beyond 64 bytes. Not timed.
pub fn state_text(doc: &Doc) -> String {
    let state = doc.transact().state_vector();
    let mut clients: Vec<(u64, u32)> =
        state.iter().map(|(client, clock)| (client.get(), *clock)).filter(|(_, clock)| *clock > 0).collect();
    clients.sort_by(|a, b| b.cmp(a));
    let mut bytes = Vec::new();
    let mut write = |mut value: u64| {
        while value >= 0x80 {
            bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        bytes.push(value as u8);
    };
    write(clients.len() as u64);
    for (client, clock) in clients {
        write(client);
        write(clock as u64);
    }
    if bytes.len() > 64 {
        return format!("fnv:{:016x}", Fnv::new().add(&bytes).0);
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
