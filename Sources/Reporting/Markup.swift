/// Text made safe for HTML, SVG and XML: element content and quoted attributes alike.
///
/// Control characters that XML does not allow are left out.
func escaped(_ text: String) -> String {
  var safe = ""
  safe.reserveCapacity(text.utf8.count)
  for scalar in text.unicodeScalars {
    switch scalar {
    case "&": safe += "&amp;"
    case "<": safe += "&lt;"
    case ">": safe += "&gt;"
    case "\"": safe += "&quot;"
    case "'": safe += "&#39;"
    case "\n", "\r", "\t": safe.unicodeScalars.append(scalar)
    case _ where scalar.value < 0x20 || scalar.value == 0x7F || scalar.value == 0xFFFE || scalar.value == 0xFFFF: break
    default: safe.unicodeScalars.append(scalar)
    }
  }
  return safe
}
