//! The stream of histories, as ../../stream.md has it: records and their fields.
use std::io::{self, Read, Write};

pub const HISTORY: u8 = 0xf9;
pub const ANSWERS: u8 = 0xfb;
const HASHED_FROM: u64 = 512;

/// The next record with its magic byte; nothing at the end of the stream.
pub fn read_record(input: &mut impl Read) -> io::Result<Option<(u8, Vec<u8>)>> {
    let mut magic = [0];
    if input.read(&mut magic)? == 0 {
        return Ok(None);
    }
    let mut size = [0; 4];
    input.read_exact(&mut size)?;
    let mut record = vec![0; u32::from_le_bytes(size) as usize];
    input.read_exact(&mut record)?;
    Ok(Some((magic[0], record)))
}

pub fn write_record(output: &mut impl Write, magic: u8, record: &[u8]) -> io::Result<()> {
    output.write_all(&[magic])?;
    output.write_all(&(record.len() as u32).to_le_bytes())?;
    output.write_all(record)
}

/// A record's fields, one after another. Panics past the end: whoever wrote the record is at fault.
pub struct Fields<'a>(pub &'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, size: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(size);
        self.0 = rest;
        taken
    }

    pub fn byte(&mut self) -> u8 {
        self.take(1)[0]
    }

    pub fn word(&mut self) -> u32 {
        u32::from_le_bytes(self.take(4).try_into().unwrap())
    }

    pub fn uint(&mut self) -> u64 {
        let mut value = 0;
        for shift in (0..).step_by(7) {
            let byte = self.byte();
            value |= u64::from(byte & 127) << shift;
            if byte < 128 {
                break;
            }
        }
        value
    }

    pub fn bytes(&mut self) -> &'a [u8] {
        let size = self.uint();
        self.take(size as usize)
    }

    pub fn string(&mut self) -> &'a str {
        std::str::from_utf8(self.bytes()).expect("a string that isn't UTF-8")
    }

    pub fn skip_digest(&mut self) {
        let size = self.uint();
        self.take(if size < HASHED_FROM { size as usize } else { 8 });
    }
}

pub fn put_uint(mut value: u64, out: &mut Vec<u8>) {
    while value > 127 {
        out.push(value as u8 | 128);
        value >>= 7;
    }
    out.push(value as u8);
}

pub fn put_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    put_uint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}
