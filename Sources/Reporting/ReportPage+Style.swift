extension ReportPage {
  /// The page's style rules; plots bring their own.
  static let css = """
    :root {
      color-scheme: light dark;
      --paper: #f6f7f9; --sheet: #ffffff; --ink: #1b2128; --muted: #5d6875; --line: #dfe4e9; --accent: #1f63c4;
      --normal: #0f6b49; --normal-ground: #e0f3ea; --abnormal: #a1440a; --abnormal-ground: #fdebdd;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        --paper: #10141a; --sheet: #181e26; --ink: #e7ebf0; --muted: #9aa6b4; --line: #2b333d; --accent: #74abff;
        --normal: #7fdcb3; --normal-ground: #15382a; --abnormal: #ffb27a; --abnormal-ground: #43260f;
      }
    }
    * { box-sizing: border-box; }
    body {
      margin: 0; background: var(--paper); color: var(--ink);
      font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
      -webkit-text-size-adjust: 100%; text-size-adjust: 100%;
    }
    main, footer { max-width: 1120px; margin: 0 auto; padding: 0 clamp(16px, 4vw, 40px); }
    header { padding: clamp(28px, 6vw, 64px) 0 8px; }
    h1, h2, h3, p, figure, dl, dd { margin: 0; }
    h1 {
      font-size: clamp(1.7rem, 1.2rem + 2.2vw, 2.6rem); line-height: 1.15; letter-spacing: -0.02em; text-wrap: balance;
      overflow-wrap: anywhere;
    }
    h2 { font-size: 1.3rem; letter-spacing: -0.01em; margin-bottom: 16px; }
    h3 { font-size: 1rem; display: flex; flex-wrap: wrap; align-items: center; gap: 4px 10px; overflow-wrap: anywhere; }
    section { margin-top: 48px; }
    .subtitle { margin-top: 10px; font-size: 1.12rem; color: var(--muted); max-width: 68ch; text-wrap: pretty; }
    .note {
      margin-top: 22px; padding: 10px 14px; border-left: 3px solid var(--abnormal); border-radius: 0 6px 6px 0;
      background: var(--abnormal-ground); font-size: 0.92rem; max-width: 82ch;
    }
    .quiet { color: var(--muted); font-size: 0.88rem; }
    p.quiet { margin-top: 12px; max-width: 82ch; }
    .headlines {
      display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin-top: 28px;
    }
    .headlines > div, .plots > figure, article, .table, .record, details {
      background: var(--sheet); border: 1px solid var(--line); border-radius: 12px;
    }
    .headlines > div { padding: 14px clamp(14px, 2vw, 20px) 16px; }
    .headlines dt { font-size: 0.9rem; color: var(--muted); }
    .headlines dd {
      font-size: clamp(1.7rem, 1.4rem + 1.2vw, 2.2rem); line-height: 1.2; font-weight: 650; letter-spacing: -0.02em;
      font-variant-numeric: tabular-nums;
    }
    .headlines small {
      font-size: 1.02rem; font-weight: 450; color: var(--muted); letter-spacing: 0; white-space: nowrap;
    }
    .headlines .quiet { display: block; font-weight: 400; letter-spacing: 0; line-height: 1.4; margin-top: 4px; }
    .table { overflow-x: auto; }
    .table + .table { margin-top: 14px; }
    table { width: 100%; border-collapse: collapse; font-size: 0.94rem; font-variant-numeric: tabular-nums; }
    th, td { padding: 9px 10px; text-align: right; white-space: nowrap; border-top: 1px solid var(--line); }
    tr > :first-child { padding-left: 18px; }
    tr > :last-child { padding-right: 18px; }
    .words { text-align: left; white-space: normal; text-wrap: pretty; }
    td.words { min-width: 16ch; }
    thead th {
      border-top: 0; color: var(--muted); font-weight: 500; font-size: 0.86rem; white-space: normal; vertical-align: bottom;
    }
    tbody th { font-weight: 600; }
    tbody small { color: var(--muted); font-size: 0.84em; }
    .group th { text-align: left; padding-top: 14px; padding-bottom: 4px; }
    .group + tr > * { border-top: 0; }
    .plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); gap: 14px; }
    .plots > figure { padding: 14px; }
    .plots > figure > svg { max-width: 620px; margin: 0 auto; }
    .map-legend { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 10px; margin-bottom: 14px; font-size: 0.9rem; }
    .map-legend .scale { width: clamp(90px, 20vw, 180px); height: 12px; border-radius: 6px; border: 1px solid var(--muted); }
    .map-legend > span:first-child { display: flex; align-items: center; gap: 10px; white-space: nowrap; }
    .cases { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 460px), 1fr)); gap: 14px; }
    .cases.wide { grid-template-columns: 1fr; }
    article { padding: 14px 16px 16px; break-inside: avoid; }
    article > p { margin-top: 10px; font-size: 0.92rem; color: var(--muted); }
    .pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(88px, 1fr)); gap: 8px; margin-top: 10px; }
    .pictures img { display: block; width: 100%; height: auto; border-radius: 6px; background: #000; }
    figcaption { font-size: 0.8rem; color: var(--muted); margin-top: 4px; text-align: center; line-height: 1.3; }
    .chip { font-size: 0.78rem; font-weight: 600; padding: 1px 9px; border-radius: 99px; border: 1px solid var(--line); }
    .chip.normal { color: var(--normal); background: var(--normal-ground); border-color: transparent; }
    .chip.abnormal { color: var(--abnormal); background: var(--abnormal-ground); border-color: transparent; }
    .score { margin-left: auto; font-weight: 450; color: var(--muted); font-variant-numeric: tabular-nums; }
    .record { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr)); padding: 8px 20px; }
    .record > div { padding: 9px 0; }
    .record dt { font-size: 0.84rem; color: var(--muted); }
    .record dd { overflow-wrap: anywhere; }
    details { margin-top: 14px; padding: 12px 20px; }
    summary { cursor: pointer; font-weight: 600; }
    summary:focus-visible { outline: 2px solid var(--accent); outline-offset: 4px; border-radius: 4px; }
    pre {
      margin: 12px 0 4px; overflow-x: auto; font: 0.84rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace;
    }
    footer { margin-top: 56px; padding-bottom: 40px; color: var(--muted); font-size: 0.86rem; }
    @media print, (max-width: 760px) {
      table { font-size: 0.88rem; }
      th, td { padding: 8px 7px; }
      tbody small { display: block; line-height: 1.2; }
      td.words { min-width: 15ch; }
    }
    @media print {
      :root {
        --paper: #fff; --sheet: #fff; --ink: #1b2128; --muted: #5d6875; --line: #dfe4e9;
        --normal: #0f6b49; --normal-ground: #e0f3ea; --abnormal: #a1440a; --abnormal-ground: #fdebdd;
      }
      body { font-size: 11pt; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
      section { margin-top: 24pt; }
      .table { overflow: visible; }
      details::details-content { content-visibility: visible; block-size: auto; }
      pre { white-space: pre-wrap; }
      td.words { min-width: 0; }
      .plots, .cases { grid-template-columns: 1fr 1fr; }
      figure, tr, .headlines > div { break-inside: avoid; }
      h2 { break-after: avoid; }
    }

    """
}
