//! XLSX, a row at a time: a million rows take no more memory than one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use rust_xlsxwriter::{Format, FormatAlign, Workbook, Worksheet, XlsxError};

use super::grid::{Cell, Column};

/// The rows that a sheet holds below its head.
pub const MAX_ROWS: u32 = 1_048_575;

/// Why there is no sheet.
#[derive(Debug, thiserror::Error)]
pub enum SheetError {
    #[error("a sheet holds at most {most} rows: narrow the period, or take CSV")]
    TooManyRows { most: u32 },
    #[error("no temporary file: {0}")]
    File(#[from] io::Error),
    #[error("the sheet can't be written: {0}")]
    Written(String),
}

impl From<XlsxError> for SheetError {
    fn from(error: XlsxError) -> SheetError {
        SheetError::Written(error.to_string())
    }
}

/// A sheet under construction. Its files have no name, so that none is left behind whatever happens.
pub struct Sheet {
    workbook: Workbook,
    file: File,
    rows: u32,
    share: Format,
}

impl Sheet {
    /// Temporary files lie in `folder`.
    ///
    /// # Errors
    /// The folder can't be written.
    pub fn new(folder: &Path, columns: &[Column]) -> Result<Sheet, SheetError> {
        let file = nameless(folder)?;
        let mut workbook = Workbook::new();
        workbook.set_tempdir(folder)?;
        let head = Format::new().set_bold().set_text_wrap().set_align(FormatAlign::Top);
        let worksheet = workbook.add_worksheet_with_constant_memory()?;
        worksheet.set_freeze_panes(1, 0)?;
        for (at, column) in (0_u16..).zip(columns) {
            worksheet.set_column_width(at, f64::from(column.width))?;
            worksheet.write_string_with_format(0, at, column.zh, &head)?;
        }
        Ok(Sheet { workbook, file, rows: 0, share: Format::new().set_num_format("0.0%") })
    }

    /// # Errors
    /// The sheet is full.
    pub fn append(&mut self, cells: &[Cell]) -> Result<(), SheetError> {
        if self.rows >= MAX_ROWS {
            return Err(SheetError::TooManyRows { most: MAX_ROWS });
        }
        self.rows += 1;
        let worksheet = self.workbook.worksheet_from_index(0)?;
        for (at, cell) in (0_u16..).zip(cells) {
            write(worksheet, self.rows, at, cell, &self.share)?;
        }
        Ok(())
    }

    /// The file, to be read from its start; it is gone when it is closed.
    ///
    /// # Errors
    /// The disk is full.
    pub fn finish(mut self) -> Result<File, SheetError> {
        self.workbook.save_to_writer(&mut self.file)?;
        self.file.rewind()?;
        Ok(self.file)
    }
}

fn write(worksheet: &mut Worksheet, row: u32, column: u16, cell: &Cell, share: &Format) -> Result<(), SheetError> {
    // what a sheet's cell holds at most
    const MAX_CHARACTERS: usize = 32_767;
    match cell {
        Cell::Nothing => {}
        Cell::Text(text) => {
            let text: String = text.chars().take(MAX_CHARACTERS).collect();
            worksheet.write_string(row, column, text)?;
        }
        Cell::Number(number) => {
            worksheet.write_number(row, column, *number as f64)?;
        }
        Cell::Share(value) => {
            worksheet.write_number_with_format(row, column, *value, share)?;
        }
    }
    Ok(())
}

fn nameless(folder: &Path) -> io::Result<File> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    loop {
        let name = format!(".export-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = folder.join(name);
        match OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path) {
            Ok(file) => {
                fs::remove_file(&path)?;
                return Ok(file);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}
