//! Texts as samples: at every character the next one is the label.

use std::path::Path;

use crate::io::{ErrorKind, IoError, printable};

use super::dataset::Dataset;

/// The characters that a model of texts knows, in the order of their code points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vocabulary {
    characters: Vec<char>,
}

impl Vocabulary {
    /// Those of a text.
    #[must_use]
    pub fn of(text: &str) -> Vocabulary {
        let mut characters: Vec<char> = text.chars().collect();
        characters.sort_unstable();
        characters.dedup();
        Vocabulary { characters }
    }

    /// The characters; the number of each is its place.
    #[must_use]
    pub fn characters(&self) -> &[char] {
        &self.characters
    }

    /// The number of a character.
    #[must_use]
    pub fn number(&self, character: char) -> Option<usize> {
        self.characters.binary_search(&character).ok()
    }

    /// A text as rows of `context` characters side by side; each character's label is the next one. What is left at the end,
    /// less than a row, is dropped. Errors call the text `path`.
    ///
    /// # Errors
    /// A character that this vocabulary does not have, with its line and column; a text of not more than `context` characters;
    /// no context.
    pub fn rows(&self, text: &str, context: usize, path: &Path) -> Result<Dataset, IoError> {
        let refuse = |what: String, mend| Err(IoError::new(ErrorKind::Data, path, what, mend));
        let mut numbers = Vec::with_capacity(text.len());
        for (line, row) in (1..).zip(text.split_inclusive('\n')) {
            for (column, character) in (1..).zip(row.chars()) {
                match self.number(character) {
                    Some(number) => numbers.push(number as u32),
                    None => {
                        let shown = printable(&character.to_string());
                        let what =
                            format!("line {line}, column {column}: the training text has no '{shown}'");
                        return refuse(what, "train with a text that has every character");
                    }
                }
            }
        }
        if self.characters.len() < 2 {
            return refuse("has less than two different characters".into(), "give a longer text");
        }
        if context == 0 || numbers.len() <= context {
            let what = format!("has {} characters, and a row has {context}", numbers.len());
            return refuse(what, "give a longer text, or a shorter context");
        }
        let rows = (numbers.len() - 1) / context;
        Ok(Dataset {
            features: context,
            classes: self.characters.len(),
            labels_per_row: context,
            x: numbers[..rows * context].iter().map(|&n| n as f32).collect(),
            labels: numbers[1..rows * context + 1].to_vec(),
        })
    }

    /// Reads a file of UTF-8 text, see [`Vocabulary::rows`].
    ///
    /// # Errors
    /// Likewise, and what is no UTF-8.
    pub fn open(&self, path: &Path, context: usize) -> Result<Dataset, IoError> {
        self.rows(&read(path)?, context, path)
    }
}

impl Dataset {
    /// Reads a file of UTF-8 text, and the vocabulary from it. See [`Vocabulary::rows`].
    ///
    /// # Errors
    /// Likewise, and what is no UTF-8.
    pub fn open_text(path: &Path, context: usize) -> Result<(Dataset, Vocabulary), IoError> {
        let text = read(path)?;
        let vocabulary = Vocabulary::of(&text);
        Ok((vocabulary.rows(&text, context, path)?, vocabulary))
    }
}

fn read(path: &Path) -> Result<String, IoError> {
    let bytes = std::fs::read(path).map_err(|e| IoError::os(path, "read", &e))?;
    String::from_utf8(bytes).map_err(|e| {
        let what = format!("is no UTF-8 text: byte {}", e.utf8_error().valid_up_to());
        IoError::new(ErrorKind::Data, path, what, "convert it")
    })
}
