//! Tables of figures as CSV (RFC 4180): a header, lines that end in CR LF, and quotes around each cell.
//!
//! Invariant: no spreadsheet interprets text from users as a formula, whichever character it takes for the separator.

use purser_domain::basic::text::shows_nothing;
use purser_domain::basic::{ClientRefid, Name, ResellerRefid};
use purser_domain::money::Tier;

use crate::ChartError;

/// The characters, including full-width ones, that a spreadsheet may interpret as the beginning of a formula.
const BEGINS_A_FORMULA: [char; 11] =
    ['=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

/// The characters that a spreadsheet may take for the end of a cell.
const SEPARATORS: [char; 6] = [';', ',', '|', '\t', '\r', '\n'];

#[derive(Debug, Clone, Copy)]
pub enum Cell<'a> {
    /// A number, which is never escaped, even if it is negative.
    Number(i64),
    /// Text. Where a spreadsheet might see the beginning of a formula, an apostrophe is written before it.
    Text(&'a str),
}

pub trait AsCell {
    fn as_cell(&self) -> Cell<'_>;
}

impl AsCell for i64 {
    fn as_cell(&self) -> Cell<'_> {
        Cell::Number(*self)
    }
}

impl AsCell for u64 {
    fn as_cell(&self) -> Cell<'_> {
        Cell::Number(i64::try_from(*self).unwrap_or(i64::MAX))
    }
}

impl<T: AsCell> AsCell for Option<T> {
    /// `None` is an empty cell.
    fn as_cell(&self) -> Cell<'_> {
        self.as_ref().map_or(Cell::Text(""), T::as_cell)
    }
}

macro_rules! texts {
    ($($type:ty)*) => {$(
        impl AsCell for $type {
            fn as_cell(&self) -> Cell<'_> {
                Cell::Text(self.as_str())
            }
        }
    )*};
}

texts! { String ClientRefid ResellerRefid Name }

impl AsCell for Tier {
    fn as_cell(&self) -> Cell<'_> {
        Cell::Text(self.into_str())
    }
}

/// A row of a table with named columns. [`columns!`](crate::columns) implements it for a struct.
pub trait Row {
    const COLUMNS: &'static [&'static str];

    /// The cells, in the order of [`Self::COLUMNS`].
    fn cells(&self) -> Vec<Cell<'_>>;
}

/// Implements [`Row`](crate::table::Row) for a struct. Each of the fields becomes a column with the field's name.
#[macro_export]
macro_rules! columns {
    ($row:ty: $($column:ident),+) => {
        impl $crate::table::Row for $row {
            const COLUMNS: &'static [&'static str] = &[$(stringify!($column)),+];

            fn cells(&self) -> Vec<$crate::table::Cell<'_>> {
                vec![$($crate::table::AsCell::as_cell(&self.$column)),+]
            }
        }
    };
}

/// The rows as CSV, after a header with the names of the columns.
pub fn csv<R: Row>(rows: &[R]) -> Result<Vec<u8>, ChartError> {
    written(R::COLUMNS, rows.iter().map(Row::cells))
}

/// The table as CSV. It is an error if a row and the header differ in length.
fn written<'a, Row>(header: &[&str], rows: impl IntoIterator<Item = Row>) -> Result<Vec<u8>, ChartError>
where
    Row: IntoIterator<Item = Cell<'a>>,
{
    let mut writer = csv::WriterBuilder::new();
    let writer = writer.terminator(csv::Terminator::CRLF).quote_style(csv::QuoteStyle::Always);
    let mut writer = writer.from_writer(Vec::new());
    writer.write_record(header).map_err(ChartError::of)?;
    for row in rows {
        let cells = row.into_iter().map(text);
        writer.write_record(cells).map_err(ChartError::of)?;
    }
    writer.into_inner().map_err(ChartError::of)
}

fn text(cell: Cell<'_>) -> String {
    match cell {
        Cell::Number(number) => number.to_string(),
        Cell::Text(text) => disarmed(text),
    }
}

/// The text with an apostrophe before each beginning of a formula: at the start of the cell, and after anything that a
/// spreadsheet may take for a separator, in both cases perhaps behind characters that show nothing.
fn disarmed(text: &str) -> String {
    let mut disarmed = String::with_capacity(text.len());
    let mut begins = true;
    for c in text.chars() {
        if begins && BEGINS_A_FORMULA.contains(&c) {
            disarmed.push('\'');
        }
        disarmed.push(c);
        begins = SEPARATORS.contains(&c) || begins && shows_nothing(c);
    }
    disarmed
}

#[cfg(test)]
mod tests {
    use super::Cell::{Number, Text};
    use super::*;

    #[test]
    fn a_table_is_lines_that_end_in_cr_lf() {
        let rows = [[Text("Elite, \"Inc.\""), Number(-5)], [Text("Größe"), Number(i64::MAX)]];
        let table = written(&["company", "spent"], rows).unwrap();
        let lines = "\"company\",\"spent\"\r\n\"Elite, \"\"Inc.\"\"\",\"-5\"\r\n\"Größe\",\"9223372036854775807\"\r\n";
        assert_eq!(String::from_utf8(table).unwrap(), lines);
    }

    #[test]
    fn a_table_without_rows_has_a_header() {
        let rows: [[Cell<'_>; 2]; 0] = [];
        assert_eq!(written(&["period", "value"], rows).unwrap(), b"\"period\",\"value\"\r\n");
    }

    #[test]
    fn a_struct_is_a_row_of_its_fields() {
        struct Holder {
            name: Option<String>,
            licences: u64,
        }
        columns!(Holder: name, licences);
        let holders = [Holder { name: Some("=1".to_owned()), licences: u64::MAX }, Holder { name: None, licences: 0 }];
        let lines = "\"name\",\"licences\"\r\n\"'=1\",\"9223372036854775807\"\r\n\"\",\"0\"\r\n";
        assert_eq!(String::from_utf8(csv(&holders).unwrap()).unwrap(), lines);
        assert_eq!(csv::<Holder>(&[]).unwrap(), b"\"name\",\"licences\"\r\n");
    }

    #[test]
    fn a_formula_is_disarmed_behind_any_separator_and_white_space() {
        for (name, written) in [
            ("x;=cmd|'/C calc'!A0;y", "x;'=cmd|'/C calc'!A0;y"),
            (" =1+1", " '=1+1"),
            ("\u{a0}\u{200b}\u{feff}@x", "\u{a0}\u{200b}\u{feff}'@x"),
            ("a, -1", "a, '-1"),
            ("a|+b", "a|'+b"),
            ("E-mail + post = 2 @ 3", "E-mail + post = 2 @ 3"),
        ] {
            assert_eq!(disarmed(name), written, "{name:?}");
        }
    }

    #[test]
    fn a_name_is_no_formula() {
        for name in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\u{ff1d}1"] {
            let table = written(&["company"], [[Text(name)]]).unwrap();
            let mut reader = csv::Reader::from_reader(table.as_slice());
            let row = reader.records().next().unwrap().unwrap();
            assert_eq!(row.get(0), Some(disarmed(name).as_str()), "{name:?}");
            assert!(disarmed(name).starts_with('\''), "{name:?}");
        }
        let table = written(&["company"], [[Text("A=B")]]).unwrap();
        assert_eq!(table, b"\"company\"\r\n\"A=B\"\r\n");
    }

    #[test]
    fn a_row_of_another_length_is_an_error() {
        let refused = written(&["period", "value"], [[Text("2023")]]);
        assert!(refused.is_err());
    }
}
