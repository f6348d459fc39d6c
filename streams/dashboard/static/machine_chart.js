// A machine's labels on one time axis in three grids. Rows are labels by time; only numbers that changed are given to ECharts.
// Nothing is sampled here: the server has thinned it so that no peak is lost, and knows where there are gaps.
const wellsentryChart = (() => {
  const { number, state } = wellsentry;
  const NAMES = ["time", "value", "median", "low", "width", "surprise", "anomalous", "unscored", "s0", "s1", "s2", "s3",
    "partition", "offset", "revision", "state", "high"];
  const AT = Object.fromEntries(NAMES.map((name, place) => [name, place]));
  const DRAW_EVERY_MS = 1000, SHARE = .05;  // of the time drawing may take
  let chart = null, rows = [], states = [], signals = [], threshold = null, incidents = [];
  let outer = [0, 1], selected = null, drawnAt = 0, timer = null, asked = {}, quiet = false, tookMs = 0, marked = "";

  const css = name => getComputedStyle(document.body).getPropertyValue("--ws-" + name).trim();
  const label = name => name.replaceAll("_", " ");
  const unit = name => name.endsWith("pressure") || name === "load" ? " psi" : "";
  const utc = ms => new Date(ms).toISOString().slice(0, 19).replace("T", " ");

  function begin(made, handlers) {
    chart = made;
    asked = handlers;
    chart.setOption(options(), { notMerge: true });
    chart.getZr().on("click", event => {
      if (![0, 1, 2].some(grid => chart.containPixel({ gridIndex: grid }, [event.offsetX, event.offsetY]))) return;
      select(nearest(chart.convertFromPixel({ xAxisIndex: 0 }, event.offsetX)));
      if (selected) asked.explain(selected);
    });
    chart.on("datazoom", () => { if (!quiet) asked.zoomed(window_()); });
    new MutationObserver(() => { marked = ""; chart.setOption(options(), { notMerge: true }); draw(); })
      .observe(document.body, { attributes: true, attributeFilter: ["class"] });
    document.addEventListener("visibilitychange", () => { if (!document.hidden) soon(); });
  }

  // -- rows

  function code(name) {
    const place = states.indexOf(name);
    return place >= 0 ? place : states.push(name) - 1;
  }

  // Columns as the server sends them, as rows; where there is a gap, a row of nothing breaks the lines.
  function rowsOf(columns) {
    const names = Object.keys(columns.signals);
    if (names.length && names.join() !== signals.join()) { signals = names; titles(); }
    const made = [];
    columns.time_ms.forEach((time, i) => {
      if (columns.gap_before?.[i]) made.push([time - 1]);
      const low = columns.expected_low[i], high = columns.expected_high[i], said = columns.state[i];
      const median = columns.median[i], value = columns.value[i];
      const row = [time, value, median, low, low === null || high === null ? null : high - low, columns.surprise[i],
        said === "anomalous" ? median ?? value : null, said === "normal" || said === "anomalous" ? null : 0,
        null, null, null, null, columns.partition[i], columns.offset[i], columns.revision[i], code(said), high];
      signals.forEach((name, k) => { row[AT.s0 + k] = columns.signals[name]?.[i] ?? null; });
      made.push(row);
    });
    return made;
  }

  const isLabel = row => row !== undefined && row.length > 1;

  // The first place whose time is not before.
  function placeOf(list, time) {
    let low = 0, high = list.length;
    while (low < high) { const middle = (low + high) >> 1; if (list[middle][0] < time) low = middle + 1; else high = middle; }
    return low;
  }

  const between = (list, from, to) => list.slice(placeOf(list, from), placeOf(list, to));

  // One more label, in its place: the newest mostly, a late one now and then, or another revision of one that is there.
  function add(list, row, gapMs) {
    const last = list[list.length - 1];
    if (!last || row[0] > last[0]) {
      if (last && gapMs && row[0] - last[0] > gapMs) list.push([row[0] - 1]);
      list.push(row);
      return;
    }
    let place = placeOf(list, row[0]);
    for (; place < list.length && list[place][0] === row[0]; place++) {
      if (list[place][AT.offset] !== row[AT.offset] || list[place][AT.partition] !== row[AT.partition]) continue;
      if (list[place][AT.revision] <= row[AT.revision]) list[place] = row;
      return;
    }
    list.splice(place, 0, row);
  }

  function nearest(time) {
    const place = placeOf(rows, time);
    let best = null;
    for (let i = Math.max(0, place - 2); i < Math.min(rows.length, place + 2); i++) {
      if (isLabel(rows[i]) && (!best || Math.abs(rows[i][0] - time) < Math.abs(best[0] - time))) best = rows[i];
    }
    return best;
  }

  // -- what is drawn

  function options() {
    const ink = css("ink"), dim = css("dim"), line = css("line");
    const axis = (gridIndex, more = {}) => ({
      type: "time", gridIndex, min: outer[0], max: outer[1], axisLine: { lineStyle: { color: dim } },
      axisTick: { show: gridIndex === 2 }, splitLine: { show: false }, axisPointer: { show: true, label: { show: false } },
      axisLabel: { show: gridIndex === 2, color: dim, hideOverlap: true }, ...more,
    });
    const value = (gridIndex, more = {}) => ({
      type: "value", gridIndex, scale: true, splitNumber: 3, axisLabel: { color: dim }, splitLine: { lineStyle: { color: line } }, ...more,
    });
    const series = (grid, name, more) => ({
      name, type: "line", xAxisIndex: grid, yAxisIndex: grid, symbol: "none", showSymbol: false, animation: false,
      encode: { x: "time", y: name }, emphasis: { disabled: true }, silent: true, ...more,
    });
    const PENS = [["normal", "solid"], ["anomalous", "dashed"], ["silent", "dotted"], ["ink", [8, 3, 2, 3]]];
    return {
      animation: false, useUTC: true, backgroundColor: "transparent", textStyle: { color: ink, fontFamily: "system-ui, sans-serif" },
      aria: { enabled: false },
      grid: [{ left: 58, right: 14, top: "5.5%", height: "24%" }, { left: 58, right: 14, top: "36%", height: "27%" },
        { left: 58, right: 14, top: "69.5%", height: "16%" }],
      title: titleOptions(),
      xAxis: [axis(0), axis(1), axis(2)],
      yAxis: [value(0), value(1), value(2, { scale: false, min: 0, max: seen => Math.max(seen.max, (threshold ?? 4) + 1), splitNumber: 2 })],
      axisPointer: { link: [{ xAxisIndex: "all" }] },
      tooltip: { trigger: "axis", confine: true, formatter: tooltip, backgroundColor: css("paper"), borderColor: dim,
        textStyle: { color: ink, fontSize: 12 } },
      dataZoom: [
        { type: "inside", xAxisIndex: [0, 1, 2], zoomOnMouseWheel: "shift", moveOnMouseMove: "shift", moveOnMouseWheel: false },
        { type: "slider", xAxisIndex: [0, 1, 2], bottom: 6, height: 24, showDetail: false, brushSelect: false, borderColor: line,
          showDataShadow: false, fillerColor: css("normal") + "33",
          handleStyle: { color: css("normal") }, moveHandleStyle: { color: dim } },
      ],
      dataset: { dimensions: NAMES.map(name => ({ name, type: name === "time" ? "time" : "float" })), source: rows },
      series: [
        ...PENS.map(([colour, type], k) => series(0, "s" + k, { lineStyle: { color: css(colour), type, width: 1.6 }, ...(k ? {} : { id: "mark-0" }) })),
        series(1, "low", { id: "mark-1", stack: "usual", stackStrategy: "all", lineStyle: { opacity: 0 } }),
        series(1, "width", { stack: "usual", stackStrategy: "all", lineStyle: { opacity: 0 }, areaStyle: { color: dim, opacity: .22 } }),
        series(1, "value", { lineStyle: { color: dim, width: 1 } }),
        series(1, "median", { lineStyle: { color: css("normal"), width: 2 } }),
        series(1, "anomalous", { type: "scatter", symbol: "diamond", symbolSize: 7, itemStyle: { color: css("incident") } }),
        series(2, "surprise", { id: "mark-2", lineStyle: { color: css("normal"), width: 1.4 } }),
        series(2, "unscored", { type: "scatter", symbol: "emptyCircle", symbolSize: 5, itemStyle: { color: css("quiet") } }),
        series(2, "threshold", { id: "threshold", encode: {}, data: [], markLine: thresholdLine() }),
      ],
    };
  }

  function titleOptions() {
    const rich = {};
    for (const name of ["normal", "anomalous", "silent", "ink", "dim", "incident", "quiet"]) rich[name] = { color: css(name), fontWeight: 600 };
    const pens = ["{normal|━ ", "{anomalous|╍ ", "{silent|┅ ", "{ink|┉ "];
    const title = (top, text) => ({ text, top, left: 4, textStyle: { color: css("ink"), fontSize: 12, fontWeight: 600, rich } });
    return [
      title("1%", signals.map((name, k) => `${pens[k]}${label(name)}${unit(name)}}`).join("  ") || "Signals"),
      title("31%", "{dim|─ value}  {normal|━ median}  {dim|▒ usual}  {incident|◆ anomalous}"),
      title("64.5%", "{normal|━ surprise}  {quiet|○ not scored}  {dim|┄ anomalous from here}"),
    ];
  }

  function thresholdLine() {
    return { silent: true, symbol: "none", animation: false, lineStyle: { color: css("incident"), type: "dashed", width: 1 },
      label: { show: false }, data: threshold === null ? [] : [{ yAxis: threshold }] };
  }

  const titles = () => chart.setOption({ title: titleOptions() });

  // Incidents as shaded areas in all three grids, in words in the first one; the chosen label as a line through all.
  function marks() {
    const end = rows.length ? rows[rows.length - 1][0] : outer[1];
    const seen = incidents.map(one => ({ ...one, to: one.closed_ms ?? Math.max(end, one.peak_ms) }))
      .filter(one => one.to >= outer[0] && one.opened_ms <= outer[1]);
    const words = one => one.verdict === "false_alarm" ? "false alarm" : one.state === "open" ? "▲ open" : one.verdict === "confirm" ? "confirmed" : "closed";
    const area = (one, grid) => [{
      xAxis: Math.max(one.opened_ms, outer[0]), name: grid === 0 && seen.length <= 12 ? words(one) : "",
      itemStyle: one.verdict === "false_alarm"
        ? { color: css("quiet"), opacity: .14 } : { color: css("incident"), opacity: one.state === "open" ? .26 : .16 },
    }, { xAxis: Math.min(one.to, outer[1]) }];
    return [0, 1, 2].map(grid => ({
      id: "mark-" + grid,
      markArea: { silent: true, animation: false, label: { color: css("ink"), fontSize: 11, position: "insideTop" }, data: seen.map(one => area(one, grid)) },
      markLine: { silent: true, symbol: "none", animation: false, label: { show: false }, lineStyle: { color: css("ink"), width: 1.5, type: "solid" },
        data: selected ? [{ xAxis: selected[0] }] : [] },
    }));
  }

  function draw() {
    clearTimeout(timer);
    timer = null;
    if (document.hidden || !chart) return;
    drawnAt = Date.now();
    const moved = { min: outer[0], max: outer[1] };
    chart.setOption({ dataset: { source: rows }, xAxis: [moved, moved, moved], ...changedMarks() });
    tookMs = Date.now() - drawnAt;
  }

  function changedMarks() {
    const series = marks(), text = JSON.stringify(series);
    if (text === marked) return {};
    marked = text;
    return { series };
  }

  // Points of the last moments at once: drawing takes some ten milliseconds, and on a slow machine many more.
  function soon() { timer ??= setTimeout(draw, Math.max(0, drawnAt + Math.max(DRAW_EVERY_MS, tookMs / SHARE) - Date.now())); }

  function show(list, extent, more = {}) {
    rows = list;
    outer = extent;
    if (more.threshold !== undefined && more.threshold !== threshold) {
      threshold = more.threshold;
      chart.setOption({ series: [{ id: "threshold", markLine: thresholdLine() }] });
    }
    if (selected) selected = nearest(selected[0]) || selected;
    draw();
  }

  function zoom(from, to) {
    quiet = true;
    chart.dispatchAction({ type: "dataZoom", dataZoomIndex: 0, startValue: from, endValue: to });
    setTimeout(() => { quiet = false; });
  }

  // From where to where one sees.
  function window_() {
    const { start, end } = chart.getOption().dataZoom[0];
    const span = outer[1] - outer[0];
    return [Math.round(outer[0] + span * start / 100), Math.round(outer[0] + span * end / 100)];
  }

  function select(row) { selected = row; chart.setOption(changedMarks()); }

  // To the next label, or some further; those of gaps are none.
  function step(by) {
    const [from, to] = window_();
    const seen = between(rows, from, to + 1).filter(isLabel);
    if (!seen.length) return null;
    const at = selected ? seen.indexOf(selected) : -1;
    const place = at < 0 ? (by > 0 && by !== Infinity ? 0 : by === -Infinity ? 0 : seen.length - 1) : Math.min(seen.length - 1, Math.max(0, at + by));
    select(seen[place]);
    return selected;
  }

  const idOf = (row, stack) => `${stack}-${row[AT.partition]}-${row[AT.offset]}-${row[AT.revision]}`;

  function words(row) {
    const said = state(states[row[AT.state]]);
    const parts = [utc(row[0]) + " UTC", `${said.sign} ${said.text}`];
    signals.forEach((name, k) => parts.push(`${label(name)} ${number(row[AT.s0 + k])}${unit(name)}`));
    parts.push(`value ${number(row[AT.value], 2)}`, `median ${number(row[AT.median], 2)}`);
    if (row[AT.width] !== null) parts.push(`usual ${number(row[AT.low])} to ${number(row[AT.high])}`);
    parts.push(`surprise ${number(row[AT.surprise], 2)}`);
    return parts;
  }

  // Numbers and the names of states and signals, which are letters: nothing in it is markup.
  function tooltip(params) {
    const row = nearest(params[0].axisValue);
    return row ? words(row).map(text => text.replace(/[<&]/g, "")).join("<br>") : "";
  }

  return {
    begin, rowsOf, between, add, show, soon, zoom, window: window_, select, nearest, step, idOf, words, isLabel, label, unit, utc,
    setIncidents: list => { incidents = list; soon(); },
    get selected() { return selected; }, get rows() { return rows; }, get outer() { return outer; }, set outer(extent) { outer = extent; },
    get width() { return chart.getWidth(); },
  };
})();
