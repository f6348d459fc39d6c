// The fleet's grid. Rows come over a socket as lists in the order of the columns that the first message names.
const wellsentryFleet = (() => {
  const { state, number, span, follow } = wellsentry;
  const rows = new Map();
  const wanted = { client: "", find: "", state: "" };
  let api = null, names = [], newest = 0;

  const numberColumn = (field, headerName, digits = 1, more = {}) => ({
    field, headerName, width: 105, cellClass: "ws-number", headerClass: "ag-right-aligned-header",
    valueFormatter: p => number(p.value, digits), ...more,
  });

  function sparkline(params) {
    const digits = params.value || "";
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("width", 104); svg.setAttribute("height", 22); svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", "surprise of the last labels");
    for (let i = 0; i < digits.length; i++) {
      if (digits[i] === ".") continue;
      const tall = 1 + 2 * Number(digits[i]);
      const bar = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      bar.setAttribute("x", i * 3.25); bar.setAttribute("width", 2.4);
      bar.setAttribute("y", 21 - tall); bar.setAttribute("height", tall);
      bar.setAttribute("fill", Number(digits[i]) >= 5 ? "var(--ws-incident)" : "var(--ws-normal)");
      svg.appendChild(bar);
    }
    return svg;
  }

  function stateCell(params) {
    const shown = state(params.value);
    const cell = document.createElement("span");
    cell.className = shown.css;
    cell.textContent = shown.sign + " " + shown.text;
    return cell;
  }

  const ORDER = { incident: 0, anomalous: 1, silent: 2, normal: 4 };
  const columns = [
    { field: "machine", headerName: "Machine", minWidth: 130, flex: 1, pinned: "left" },
    { field: "client", headerName: "Client", width: 110 },
    { field: "stack", headerName: "Stack", width: 90 },
    { field: "state", headerName: "State", width: 140, cellRenderer: stateCell,
      comparator: (a, b) => (ORDER[a] ?? 3) - (ORDER[b] ?? 3) },
    { field: "age", headerName: "Since", width: 90, cellClass: "ws-number", valueGetter: p => p.data.time_ms - p.data.since_ms,
      valueFormatter: p => span(p.value) },
    numberColumn("casing", "Casing psi", 1, { valueGetter: p => p.data.signals.casing_pressure }),
    numberColumn("tubing", "Tubing psi", 1, { valueGetter: p => p.data.signals.tubing_pressure }),
    numberColumn("value", "Load"),
    numberColumn("surprise", "Surprise", 2),
    { field: "spark", headerName: "Last labels", width: 125, sortable: false, cellRenderer: sparkline },
    { field: "incident", headerName: "Incident", width: 110,
      valueGetter: p => !p.data.incident ? "" : p.data.verdict ? p.data.verdict.replace("_", " ")
        : p.data.acknowledged_by ? "seen by " + p.data.acknowledged_by : "open" },
    { field: "rung", headerName: "Model", width: 90, valueFormatter: p => p.value || "none" },
    { field: "fitted_ms", headerName: "Model age", width: 100, cellClass: "ws-number",
      valueFormatter: p => p.value ? span(Date.now() - p.value) : "–" },
  ];

  function kind(row) { return row.state in ORDER ? row.state : "unscored"; }

  function begin(grid) {
    api = grid;
    recall();
    follow("/live/fleet", take);
  }

  function take(message) {
    const whole = message.columns !== undefined;
    if (whole) names = message.columns;
    const add = [], update = [];
    const seen = whole ? new Set() : null;
    for (const values of message.rows) {
      const row = {};
      for (let i = 0; i < names.length; i++) row[names[i]] = values[i];
      newest = Math.max(newest, row.time_ms);
      (rows.has(row.id) ? update : add).push(row);
      rows.set(row.id, row);
      if (whole) seen.add(row.id);
    }
    const remove = whole ? [...rows.keys()].filter(id => !seen.has(id)).map(id => rows.get(id)) : [];
    for (const row of remove) rows.delete(row.id);
    if (whole) api.applyTransaction({ add, update, remove });
    else api.applyTransactionAsync({ add, update });
    if (add.length || remove.length) offerClients();
    count();
  }

  function offerClients() {
    const select = document.getElementById("fleet-client");
    const clients = [...new Set([...rows.values()].map(row => row.client))].sort();
    select.replaceChildren(new Option("all", ""), ...clients.map(name => new Option(name, name)));
    select.value = wanted.client;
  }

  function count() {
    const counts = { incident: 0, anomalous: 0, normal: 0, unscored: 0, silent: 0 };
    for (const row of rows.values()) if (!wanted.client || row.client === wanted.client) counts[kind(row)]++;
    const place = document.getElementById("fleet-counts");
    if (!place.children.length) {
      for (const name of Object.keys(counts)) {
        const button = document.createElement("button");
        button.className = "ws-count " + state(name).css;
        button.dataset.state = name;
        button.append(document.createElement("b"), `${state(name).sign} ${name}`);
        button.onclick = () => { wanted.state = wanted.state === name ? "" : name; filtered(); };
        place.appendChild(button);
      }
    }
    for (const button of place.children) {
      button.firstChild.textContent = counts[button.dataset.state].toLocaleString("en-US");
      button.setAttribute("aria-pressed", String(wanted.state === button.dataset.state));
    }
    document.getElementById("fleet-shown").textContent = `${api.getDisplayedRowCount().toLocaleString("en-US")} shown`;
  }

  const isFiltered = () => Boolean(wanted.client || wanted.find || wanted.state);
  const passes = row => (!wanted.client || row.client === wanted.client)
    && (!wanted.state || kind(row) === wanted.state)
    && (!wanted.find || row.machine.toLowerCase().includes(wanted.find.toLowerCase()));

  function filtered() { api.onFilterChanged(); remember(); count(); }

  // The address names the view: whoever opens the link sees the same.
  function remember() {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(wanted)) if (value) query.set(name, value);
    const sort = api.getColumnState().find(column => column.sort);
    if (sort) query.set("sort", `${sort.colId}:${sort.sort}`);
    history.replaceState(null, "", query.size ? "?" + query : location.pathname);
  }

  function recall() {
    const query = new URLSearchParams(location.search);
    for (const name of Object.keys(wanted)) wanted[name] = query.get(name) || "";
    const [colId, sort] = (query.get("sort") || "state:asc").split(":");
    api.applyColumnState({ state: [{ colId, sort }], defaultState: { sort: null } });
    const find = document.getElementById("fleet-find"), client = document.getElementById("fleet-client");
    find.value = wanted.find;
    find.oninput = () => { wanted.find = find.value; filtered(); };
    client.onchange = () => { wanted.client = client.value; filtered(); };
  }

  function open(row) {
    location.href = `/machine/${encodeURIComponent(row.client)}/${encodeURIComponent(row.machine)}?stack=${encodeURIComponent(row.stack)}`;
  }

  return { columns, begin, isFiltered, passes, remember, open };
})();
