// A machine's page: history once by REST, then single labels by a socket; the address holds all that one sees.
const wellsentryMachine = (() => {
  const { follow, soon } = wellsentry;
  const chart = wellsentryChart, cards = wellsentryCards;
  const HOUR = 3600000, SPANS = { live: 6 * HOUR, "24h": 24 * HOUR, "7d": 168 * HOUR, "30d": 720 * HOUR };
  const FINER = .6, MOST_ROWS = 9000;
  let client = "", machine = "", stack = "load", range = "live", zoomed = null, chosen = null;
  let base = [], isWhole = false, bucketMs = 0, gapMs = 0, newest = 0, row = null, digest, loading = 0;
  const incidents = new Map();

  async function begin(whoseClient, whichMachine, stacks, element) {
    [client, machine] = [whoseClient, whichMachine];
    recall();
    offer(stacks);
    for (const button of document.querySelectorAll("[data-range]")) button.onclick = () => { range = button.dataset.range; zoomed = null; load(); };
    document.getElementById("machine-in").onclick = () => zoomBy(.5);
    document.getElementById("machine-out").onclick = () => zoomBy(2);
    const made = await drawn(element);
    chart.begin(made, { explain: label => choose(label), zoomed: soon(() => look(...chart.window()), 300) });
    document.getElementById("machine-chart").onkeydown = onKey;
    follow(`/live/machine/${encodeURIComponent(client)}/${encodeURIComponent(machine)}?${new URLSearchParams({ stack })}`, take);
  }

  // A machine that several stacks watch has a page for each.
  function offer(stacks) {
    if (stacks.length && !stacks.includes(stack)) stack = stacks[0];
    const select = document.getElementById("machine-stack");
    select.parentElement.hidden = stacks.length < 2;
    select.replaceChildren(...stacks.map(name => new Option(name, name)));
    select.value = stack;
    select.onchange = () => { location.search = new URLSearchParams({ stack: select.value, range }); };
  }

  // The chart is there a moment after the page.
  function drawn(element) {
    return new Promise(resolve => {
      const look = () => { const made = getElement(element)?.chart; if (made) resolve(made); else setTimeout(look, 20); };
      look();
    });
  }

  // -- what comes over the socket

  function take(message) {
    if (message.incidents) {
      for (const one of message.incidents) incidents.set(one.id, one);
      const list = [...incidents.values()].sort((a, b) => b.opened_ms - a.opened_ms);
      chart.setIncidents(list);
      cards.drawIncidents(list, machine, one => look(one.opened_ms - HOUR, (one.closed_ms ?? newest) + HOUR));
    }
    if (message.row) {
      const isFirst = row === null;
      row = message.row;
      newest = Math.max(newest, row.time_ms);
      cards.drawHead(row);
      if (row.digest !== digest) { digest = row.digest; cards.drawModel(client, machine, stack); }
      if (isFirst || message.reload) load();
    } else if (message.reload) load();
    if (message.labels && base.length) append(message.labels);
  }

  function append(columns) {
    for (const label of chart.rowsOf(columns)) {
      if (!chart.isLabel(label)) continue;
      newest = Math.max(newest, label[0]);
      if (label[0] < chart.outer[0]) continue;
      chart.add(base, label, gapMs);
      if (chart.rows !== base) chart.add(chart.rows, label, gapMs);
    }
    if (chart.rows.length > MOST_ROWS) return load();  // thinned anew
    if (zoomed || !(range in SPANS)) return chart.soon();
    chart.outer = [newest - SPANS[range], newest + 1];
    const gone = base.findIndex(label => label[0] >= chart.outer[0]);
    if (gone > 200) base.splice(0, gone);
    chart.soon();
  }

  // -- history

  async function history(from, to) {
    const points = Math.max(150, Math.min(400, Math.round(chart.width / 3)));
    const iso = ms => new Date(Math.max(0, Math.round(ms))).toISOString();
    const query = new URLSearchParams({ stack, from: iso(from), to: iso(to), points });
    const path = `/api/v1/machines/${encodeURIComponent(client)}/${encodeURIComponent(machine)}/history`;
    told("Loading.");
    const response = await fetch(`${path}?${query}`).catch(() => null);
    if (!response?.ok) {
      const problem = response ? await response.json().catch(() => null) : null;
      told(problem?.detail || "The dashboard cannot be reached just now.");
      return null;
    }
    const found = await response.json();
    told([found.note, found.labels ? "" : "No labels in this stretch."].filter(Boolean).join(" "));
    return { ...found, rows: chart.rowsOf(found.columns), bucketMs: (to - from) / points };
  }

  const told = text => { document.getElementById("machine-note").textContent = text; };

  // All of the range anew, and finer what one looks at.
  async function load() {
    const mine = ++loading;
    const [from, to] = extent();
    const found = await history(from, to);
    if (!found || mine !== loading) return;
    base = found.rows;
    bucketMs = found.bucketMs;
    isWhole = base.filter(chart.isLabel).length >= found.labels;
    gapMs = found.gap_ms;
    chart.show(base, [from, to], { threshold: found.anomalous_at });
    chart.zoom(...(zoomed || [from, to]));
    if (chosen && !chart.selected) restore();
    if (zoomed) await finer(...zoomed);
    remember();
  }

  function extent() {
    const end = newest + 1;
    if (zoomed && !(range in SPANS && zoomed[0] >= end - SPANS[range])) {
      range = Object.keys(SPANS).find(name => zoomed[0] >= end - SPANS[name]) || "";
      if (!range) { const around = zoomed[1] - zoomed[0]; return [zoomed[0] - around, Math.min(zoomed[1] + around, end)]; }
    }
    return [end - SPANS[range], end];
  }

  // One looks at a part, or at all again.
  function look(from, to) {
    const [first, last] = chart.outer, isAll = from <= first && to >= last;
    zoomed = isAll ? null : [from, Math.max(to, from + 1000)];
    if (zoomed && from < first) return load();
    if (!zoomed) chart.show(base, chart.outer);
    chart.zoom(...(zoomed || [first, last]));
    remember();
    return zoomed ? finer(...zoomed) : undefined;
  }

  function zoomBy(factor) {
    const [from, to] = chart.window(), middle = chart.selected && chart.selected[0] > from && chart.selected[0] < to ? chart.selected[0] : (from + to) / 2;
    const half = Math.max(1000, (to - from) * factor / 2);
    look(Math.max(chart.outer[0], middle - half), Math.min(chart.outer[1], middle + half));
  }

  // Labels that were left out of the whole come for the part that one looks at.
  async function finer(from, to) {
    if (isWhole || (to - from) / 400 > bucketMs * FINER) return;
    const mine = ++loading;
    const found = await history(from, to);
    if (!found || mine !== loading) return;
    const rows = [...chart.between(base, 0, from), ...found.rows, ...chart.between(base, to, Infinity)];
    chart.show(rows, chart.outer);
  }

  // -- what is chosen

  function choose(label) {
    if (!label) return;
    chosen = { id: chart.idOf(label, stack), at: label[0] };
    said(label);
    remember();
    cards.explain(stack, client, machine, chosen.id, chosen.at);
  }

  function restore() {
    const label = chart.nearest(chosen.at);
    if (label) { chart.select(label); said(label); }
    cards.explain(stack, client, machine, chosen.id, chosen.at);
  }

  const said = label => { document.getElementById("machine-said").textContent = chart.words(label).join(" · "); };

  const STEPS = { ArrowLeft: -1, ArrowRight: 1, PageUp: -20, PageDown: 20, Home: -Infinity, End: Infinity };

  function onKey(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key in STEPS) {
      const label = chart.step(STEPS[event.key]);
      if (label) said(label);
    } else if (event.key === "Enter") choose(chart.selected);
    else if (event.key === "+") zoomBy(.5);
    else if (event.key === "-") zoomBy(2);
    else return;
    event.preventDefault();
  }

  // -- the address

  function recall() {
    const query = new URLSearchParams(location.search);
    stack = query.get("stack") || "load";
    range = query.get("range") in SPANS ? query.get("range") : "live";
    const from = Number(query.get("from")), to = Number(query.get("to"));
    if (from > 0 && to > from) zoomed = [from, to];
    if (query.get("label")) chosen = { id: query.get("label"), at: Number(query.get("at")) || 0 };
  }

  function remember() {
    const query = new URLSearchParams({ stack, range });
    if (!range) query.delete("range");
    if (zoomed) { query.set("from", Math.round(zoomed[0])); query.set("to", Math.round(zoomed[1])); }
    if (chosen) { query.set("label", chosen.id); query.set("at", chosen.at); }
    window.history.replaceState(null, "", "?" + query);
    for (const button of document.querySelectorAll("[data-range]")) button.setAttribute("aria-pressed", String(button.dataset.range === range));
  }

  return { begin };
})();
