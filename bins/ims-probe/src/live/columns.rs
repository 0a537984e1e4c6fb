//! Cells in columns, as wide as a terminal shows them.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// How wide each column is.
pub fn widths(rows: &[[String; 6]]) -> [usize; 6] {
    rows.iter().fold([0; 6], |mut widths, row| {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.width().max(*width);
        }
        widths
    })
}

/// A row, each cell as wide as its column.
pub fn line(cells: &[String; 6], widths: &[usize; 6]) -> String {
    let padded = cells.iter().zip(widths).map(|(cell, width)| {
        let blank = " ".repeat(width.saturating_sub(cell.width()) + 2);
        format!("{cell}{blank}")
    });
    padded.collect()
}

/// The beginning of a line that fits.
pub fn cut(line: &str, columns: usize) -> String {
    let mut left = columns;
    line.chars()
        .take_while(|c| {
            let width = c.width().unwrap_or(0);
            let fits = width <= left;
            left = left.saturating_sub(width);
            fits
        })
        .collect()
}
