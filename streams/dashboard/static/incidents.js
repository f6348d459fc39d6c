// Incidents, and the one that is chosen.
const wellsentryIncidents = (() => {
  const { number, span, follow, element } = wellsentry;
  const { panel } = wellsentryAnswer;
  const incidents = new Map();
  const wanted = { state: "open", client: "", machine: "", find: "", incident: "" };
  let api = null, drawn = "";

  const time = ms => ms === null ? "–" : new Date(ms).toISOString().slice(0, 16).replace("T", " ");
  const numbers = (field, headerName, digits = 1, width = 95) => ({
    field, headerName, width, cellClass: "ws-number", headerClass: "ag-right-aligned-header", valueFormatter: p => number(p.value, digits),
  });
  const expected = one => one.expected_low === null ? "–" : `${number(one.expected_low)} to ${number(one.expected_high)}`;
  const answered = one => one.verdict ? one.verdict.replace("_", " ")
    : one.shelved_until_ms > Date.now() ? "shelved" : one.acknowledged_by ? "seen by " + one.acknowledged_by : "";

  const columns = [
    { field: "machine", headerName: "Machine", width: 120, pinned: "left" },
    { field: "state", headerName: "State", width: 90, cellRenderer: p => element("span", {
      className: p.value === "open" ? "ws-incident" : "ws-unscored", textContent: p.value === "open" ? "▲ open" : "○ closed" }) },
    { field: "opened_ms", headerName: "Opened (UTC)", width: 145, valueFormatter: p => time(p.value) },
    { field: "lasted", headerName: "Lasted", width: 85, cellClass: "ws-number",
      valueGetter: p => p.data.closed_ms === null ? null : p.data.closed_ms - p.data.opened_ms,
      valueFormatter: p => p.value === null ? "goes on" : span(p.value) },
    numbers("actual", "Actual"),
    { field: "expected", headerName: "Expected", width: 130, cellClass: "ws-number", sortable: false, valueGetter: p => expected(p.data) },
    numbers("peak_surprise", "Surprise", 2),
    { field: "answer", headerName: "Answer", width: 130, valueGetter: p => answered(p.data), valueFormatter: p => p.value || "none yet" },
    { field: "client", headerName: "Client", width: 100 },
    { field: "stack", headerName: "Stack", width: 80 },
  ];

  function begin(grid) {
    api = grid;
    const query = new URLSearchParams(location.search);
    for (const name of Object.keys(wanted)) if (query.has(name)) wanted[name] = query.get(name);
    const [colId, sort] = (query.get("sort") || "opened_ms:desc").split(":");
    api.applyColumnState({ state: [{ colId, sort }], defaultState: { sort: null } });
    const state = document.getElementById("incidents-state"), find = document.getElementById("incidents-find");
    const client = document.getElementById("incidents-client");
    state.value = wanted.state;
    find.value = wanted.find || wanted.machine;
    state.onchange = () => { wanted.state = state.value; filtered(); };
    find.oninput = () => { wanted.find = find.value; wanted.machine = ""; filtered(); };
    client.onchange = () => { wanted.client = client.value; filtered(); };
    follow("/live/incidents", take);
  }

  function take(message) {
    if (message.whole) {
      incidents.clear();
      for (const one of message.incidents) incidents.set(one.id, one);
      api.setGridOption("rowData", [...incidents.values()]);
    } else {
      const add = message.incidents.filter(one => !incidents.has(one.id));
      const update = message.incidents.filter(one => incidents.has(one.id));
      for (const one of message.incidents) incidents.set(one.id, one);
      api.applyTransaction({ add, update });
    }
    offerClients();
    shown();
    draw();
  }

  function offerClients() {
    const clients = [...new Set([...incidents.values()].map(one => one.client))].sort();
    const select = document.getElementById("incidents-client");
    select.parentElement.hidden = clients.length < 2 && !wanted.client;
    select.replaceChildren(new Option("all", ""), ...clients.map(name => new Option(name, name)));
    select.value = wanted.client;
  }

  function shown() {
    const count = api.getDisplayedRowCount();
    document.getElementById("incidents-shown").textContent = count ? `${count} shown` : "none: nothing is the matter here";
  }

  const passes = one => (!wanted.state || (wanted.state === "unanswered" ? one.state === "open" && !answered(one) : one.state === wanted.state))
    && (!wanted.client || one.client === wanted.client) && (!wanted.machine || one.machine === wanted.machine)
    && (!wanted.find || one.machine.toLowerCase().includes(wanted.find.toLowerCase()));

  function filtered() { api.onFilterChanged(); shown(); remember(); }

  function remember() {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(wanted)) if (value || name === "state") query.set(name, value);
    const sort = api.getColumnState().find(column => column.sort);
    if (sort) query.set("sort", `${sort.colId}:${sort.sort}`);
    history.replaceState(null, "", "?" + query);
  }

  function choose(id) { wanted.incident = id; remember(); draw(); document.getElementById("incident").scrollIntoView({ block: "nearest" }); }

  // Drawn anew only when it changed: what somebody is typing stays.
  function draw() {
    const one = incidents.get(wanted.incident);
    const now = JSON.stringify(one || null);
    if (now === drawn) return;
    drawn = now;
    const place = document.getElementById("incident");
    if (!one) {
      if (wanted.incident) place.replaceChildren(element("p", { textContent: `There is no incident ${wanted.incident} here.` }));
      return;
    }
    const typed = place.querySelector("textarea")?.value || "";
    const fact = (name, value) => [element("dt", { textContent: name }), element("dd", { textContent: value })];
    const machine = `/machine/${encodeURIComponent(one.client)}/${encodeURIComponent(one.machine)}?stack=${encodeURIComponent(one.stack)}`;
    const link = `${machine}&from=${one.opened_ms - 21600000}&to=${(one.closed_ms ?? one.peak_ms) + 21600000}`;
    const facts = element("dl", {},
      ...fact("State", one.state === "open" ? "open" : "closed " + time(one.closed_ms)),
      ...fact("Since (UTC)", time(one.opened_ms)),
      ...fact(`${one.feature}, at its peak`, `${number(one.actual)}, ${one.direction}`),
      ...fact("Expected", expected(one)),
      ...fact("Surprise", `${number(one.peak_surprise, 2)} at ${time(one.peak_ms)}`),
      ...fact("Labels in it", one.readings.toLocaleString("en-US")),
      ...fact("Model", `${one.rung || "none"} ${one.digest || ""}`),
      ...fact("Answer", answered(one) || "none yet"));
    place.replaceChildren(
      element("h2", {}, element("a", { href: link, textContent: one.machine }), ` · ${one.client} · ${one.stack}`), facts,
      element("pre", { textContent: `wellsentry reproduce ${one.label_id}` }), panel(one, document.body.dataset.mayAnswer !== "no"));
    if (typed && place.querySelector("textarea")) place.querySelector("textarea").value = typed;
  }

  return { columns, begin, passes, remember, choose };
})();
