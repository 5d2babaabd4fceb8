extension FigureTable {
  /// The table as a `tabular` environment with the rules of the booktabs package; all text is escaped.
  public var latex: String {
    let alignment = columns.indices.map { $0 < textColumns ? "l" : "r" }.joined()
    func line(_ cells: [String]) -> String { cells.joined(separator: " & ") + " \\\\\n" }
    let body = rows.enumerated().map { row, cells in
      line(
        cells.enumerated().map { column, text in
          let cell = latexEscaped(text)
          return isEmphasised(row, column) && !cell.isEmpty ? "\\textbf{\(cell)}" : cell
        })
    }
    return """
      \\begin{tabular}{\(alignment)}
      \\toprule
      \(line(columns.map(latexEscaped)))\\midrule
      \(body.joined())\\bottomrule
      \\end{tabular}

      """
  }
}

/// Text made safe for LaTeX: its special characters, and signs that plain LaTeX has in mathematics only.
public func latexEscaped(_ text: String) -> String {
  var safe = ""
  for character in text {
    switch character {
    case "\\": safe += "\\textbackslash{}"
    case "{", "}", "$", "&", "#", "%", "_": safe += "\\\(character)"
    case "~": safe += "\\textasciitilde{}"
    case "^": safe += "\\textasciicircum{}"
    case "<": safe += "\\textless{}"
    case ">": safe += "\\textgreater{}"
    case "|": safe += "\\textbar{}"
    case "±": safe += "$\\pm$"
    case "−": safe += "$-$"
    case "×": safe += "$\\times$"
    case "∞": safe += "$\\infty$"
    case "Δ": safe += "$\\Delta$"
    case "–": safe += "--"
    case "“": safe += "``"
    case "”": safe += "''"
    case "\n", "\r", "\r\n", "\t": safe += " "
    default: safe.append(character)
    }
  }
  return safe
}
