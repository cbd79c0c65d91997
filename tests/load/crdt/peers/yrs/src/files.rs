//! The data files: ../../../trace_files.h says how they are laid out.
use std::path::Path;

pub enum Edit {
    Insert(u32, String),
    Delete(u32, u32),
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn var_uint(&mut self) -> usize {
        let mut value = 0;
        for shift in (0..63).step_by(7) {
            let byte = self.0[0];
            self.0 = &self.0[1..];
            value |= ((byte & 0x7f) as usize) << shift;
            if byte < 0x80 {
                break;
            }
        }
        value
    }

    fn var_bytes(&mut self) -> &'a [u8] {
        let length = self.var_uint();
        let (bytes, rest) = self.0.split_at(length);
        self.0 = rest;
        bytes
    }
}

pub fn read(path: impl AsRef<Path>) -> Vec<u8> {
    std::fs::read(path.as_ref()).unwrap_or_else(|error| panic!("{}: {error}", path.as_ref().display()))
}

/// The edits of B4, one a keystroke.
pub fn read_edits(data: &str) -> Vec<Edit> {
    let bytes = read(Path::new(data).join("yjs/b4-editing-trace.bin"));
    let mut reader = Reader(&bytes);
    (0..reader.var_uint())
        .map(|_| {
            let tag = reader.var_uint();
            let index = reader.var_uint() as u32;
            match tag {
                1 => Edit::Insert(index, std::str::from_utf8(reader.var_bytes()).unwrap().into()),
                _ => Edit::Delete(index, reader.var_uint() as u32),
            }
        })
        .collect()
}

pub fn read_updates(file: &str) -> Vec<Vec<u8>> {
    let bytes = read(file);
    let mut reader = Reader(&bytes);
    (0..reader.var_uint()).map(|_| reader.var_bytes().to_vec()).collect()
}
