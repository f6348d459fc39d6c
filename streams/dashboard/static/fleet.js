// The fleet's grid. Rows come over a socket as lists in the order of the columns that the first message names.
const wellsentryFleet = (() => {
  const { state, number, span, follow, soon } = wellsentry;
  const rows = new Map();
  const wanted = { client: "", area: "", find: "", state: "" };
  let api = null, names = [], send = () => {}, inView = "";

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
  // Equal ones stand by name, or they would change places with every label.
  const thenByName = (a, b, one, other, isDescending) =>
    a - b || (isDescending ? -1 : 1) * one.data.machine.localeCompare(other.data.machine, "en", { numeric: true });
  const columns = [
    { field: "machine", headerName: "Machine", width: 130, pinned: "left",
      comparator: (a, b) => a.localeCompare(b, "en", { numeric: true }) },
    { field: "state", headerName: "State", width: 135, cellRenderer: stateCell,
      comparator: (a, b, one, other, isDescending) =>
        thenByName(ORDER[a] ?? 3, ORDER[b] ?? 3, one, other, isDescending) },
    { field: "why", headerName: "What is the matter", width: 300, sortable: false, valueFormatter: p => p.value || "–" },
    { field: "age", headerName: "For", width: 85, cellClass: "ws-number", headerTooltip: "How long it has been in this state",
      valueGetter: p => p.data.time_ms - p.data.since_ms, valueFormatter: p => span(p.value) },
    numberColumn("casing", "Casing psi", 1, { valueGetter: p => p.data.signals.casing_pressure }),
    numberColumn("tubing", "Tubing psi", 1, { valueGetter: p => p.data.signals.tubing_pressure }),
    numberColumn("value", "Value", 1, { headerTooltip: "The stack's feature: for the load stack casing less tubing, psi" }),
    numberColumn("surprise", "Surprise", 2, { comparator: thenByName, headerTooltip: "3 is once in a thousand" }),
    { field: "spark", headerName: "Last labels", width: 142, sortable: false, cellRenderer: sparkline },
    numberColumn("urgency", "Urgency", 1, { comparator: thenByName, sortingOrder: ["desc", "asc"] }),
    { field: "rung", headerName: "Model", width: 85, valueFormatter: p => p.value || "none" },
    { field: "fitted_ms", headerName: "Model age", width: 100, cellClass: "ws-number",
      valueFormatter: p => p.value ? span(Date.now() - p.value) : "–" },
    { field: "client", headerName: "Client", width: 110, hide: true },
    { field: "area", headerName: "Area", width: 110, hide: true },
    { field: "stack", headerName: "Stack", width: 90, hide: true },
  ];

  function kind(row) { return row.state in ORDER ? row.state : "unscored"; }

  function begin(grid) {
    api = grid;
    recall();
    send = follow("/live/fleet", take);
    const look = soon(tellView);
    for (const event of ["viewportChanged", "modelUpdated", "bodyScroll"]) api.addEventListener(event, look);
  }

  // Rows in view are sent at once, all others now and then.
  function tellView() {
    const ids = JSON.stringify(api.getRenderedNodes().map(node => node.id));
    if (ids !== inView) send(inView = ids);
  }

  function take(message) {
    const whole = message.columns !== undefined;
    if (whole) { names = message.columns; inView = ""; }
    const add = [], update = [];
    const seen = whole ? new Set() : null;
    for (const values of message.rows) {
      const row = {};
      for (let i = 0; i < names.length; i++) row[names[i]] = values[i];
      (rows.has(row.id) ? update : add).push(row);
      rows.set(row.id, row);
      if (whole) seen.add(row.id);
    }
    const remove = whole ? [...rows.keys()].filter(id => !seen.has(id)).map(id => rows.get(id)) : [];
    for (const row of remove) rows.delete(row.id);
    if (whole) api.applyTransaction({ add, update, remove });
    else api.applyTransactionAsync({ add, update });
    if (add.length || remove.length) for (const what of ["client", "area", "stack"]) offer(what);
    tellView();
    count();
  }

  // What is the same for all is neither a column nor a choice.
  function offer(what) {
    const found = [...new Set([...rows.values()].map(row => row[what]).filter(Boolean))].sort();
    api.setColumnsVisible([what], found.length > 1);
    const select = document.getElementById("fleet-" + what);
    if (!select) return;
    select.parentElement.hidden = found.length < 2 && !wanted[what];
    select.replaceChildren(new Option("all", ""), ...found.map(name => new Option(name, name)));
    select.value = wanted[what];
  }

  const isOneOf = row => (!wanted.client || row.client === wanted.client) && (!wanted.area || row.area === wanted.area);

  function count() {
    const counts = { urgent: 0, incident: 0, anomalous: 0, normal: 0, unscored: 0, silent: 0 };
    for (const row of rows.values()) if (isOneOf(row)) { counts[kind(row)]++; if (row.urgency > 0) counts.urgent++; }
    const place = document.getElementById("fleet-counts");
    if (!place.children.length) {
      for (const name of Object.keys(counts)) {
        const button = document.createElement("button");
        button.className = "ws-count " + state(name).css;
        button.dataset.state = name;
        button.append(document.createElement("b"), `${state(name).sign} ${state(name).text}`);
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

  const isFiltered = () => Object.values(wanted).some(Boolean);
  const passes = row => isOneOf(row) && (!wanted.state || (wanted.state === "urgent" ? row.urgency > 0 : kind(row) === wanted.state))
    && (!wanted.find || row.machine.toLowerCase().includes(wanted.find.toLowerCase()));

  function filtered() { api.onFilterChanged(); remember(); count(); }

  // The address names the view: whoever opens the link sees the same.
  function remember() {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(wanted)) if (value) query.set(name, value);
    const sort = api.getColumnState().find(column => column.sort);
    if (sort && sort.colId !== "urgency") query.set("sort", `${sort.colId}:${sort.sort}`);
    history.replaceState(null, "", query.size ? "?" + query : location.pathname);
  }

  function recall() {
    const query = new URLSearchParams(location.search);
    for (const name of Object.keys(wanted)) wanted[name] = query.get(name) || "";
    const [colId, sort] = (query.get("sort") || "urgency:desc").split(":");
    api.applyColumnState({
      state: [{ colId, sort }], defaultState: { sort: null },
    });
    const find = document.getElementById("fleet-find");
    find.value = wanted.find;
    find.oninput = () => { wanted.find = find.value; filtered(); };
    for (const what of ["client", "area"]) {
      const select = document.getElementById("fleet-" + what);
      select.onchange = () => { wanted[what] = select.value; filtered(); };
    }
    api.onFilterChanged();
  }

  function open(row) {
    location.href = `/machine/${encodeURIComponent(row.client)}/${encodeURIComponent(row.machine)}?stack=${encodeURIComponent(row.stack)}`;
  }

  return { columns, begin, isFiltered, passes, remember, open };
})();
