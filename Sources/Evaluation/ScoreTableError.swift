/// What can be wrong with a CSV file of scores; lines count from 1, the header included.
public enum ScoreTableError: Error, Equatable, Sendable, CustomStringConvertible {
  /// There is no header.
  case empty
  /// The file does not exist or may not be read.
  case unreadable(file: String)
  /// The file is not UTF-8 text.
  case notText(file: String)
  /// The file cannot be written.
  case unwritable(file: String)
  /// Something is wrong in a file; the second string says what.
  case inFile(String, String)
  /// A heading is not there.
  case missingColumn(String, found: [String])
  /// A heading is there more than once.
  case repeatedColumn(String)
  /// A line has more or fewer fields than the header.
  case wrongFieldCount(line: Int, expected: Int, found: Int)
  /// A label is none of the known words.
  case badLabel(String, line: Int)
  /// A score is not a finite number.
  case badScore(String, line: Int)
  /// A quotation mark is opened and not closed.
  case unclosedQuote(line: Int)
  /// Text follows a closing quotation mark.
  case textAfterQuote(line: Int)
  /// A case that is to be evaluated has no label.
  case labelMissing(name: String)
  /// The rows cannot be evaluated.
  case invalid(EvaluationError)

  /// One sentence that names what is wrong and what to do.
  public var description: String {
    switch self {
    case .empty:
      "The table is empty; its first line must name the columns, for example “name,label,score”."
    case .unreadable(let file):
      "\(file) cannot be read; check that it exists and that you may read it."
    case .notText(let file):
      "\(file) is not UTF-8 text; save the table as CSV in UTF-8."
    case .unwritable(let file):
      "\(file) cannot be written; check that its folder exists, that you may write there and that the disk is not full."
    case .inFile(let file, let what):
      "\(file): \(what)"
    case .missingColumn(let heading, let found):
      "There is no column “\(heading)” among \(found.map { "“\($0)”" }.joined(separator: ", ")); name the column to use."
    case .repeatedColumn(let heading):
      "The column “\(heading)” is there more than once; rename all but one."
    case .wrongFieldCount(let line, let expected, let found):
      "Line \(line) has \(found) fields and the header \(expected); quote fields that contain commas."
    case .badLabel(let text, let line):
      "Line \(line): the label “\(text)” is not known; write 0 for normal or 1 for abnormal."
    case .badScore(let text, let line):
      "Line \(line): the score “\(text)” is not a finite number; write it like 0.75 or 7.5e-1."
    case .unclosedQuote(let line):
      "Line \(line): a quotation mark is opened and never closed; close it, or double it inside a quoted field."
    case .textAfterQuote(let line):
      "Line \(line): text follows a closing quotation mark; double quotation marks inside a quoted field."
    case .labelMissing(let name):
      "\(name) has no label; write 0 for normal or 1 for abnormal, or leave the case out."
    case .invalid(let error):
      error.description
    }
  }
}
