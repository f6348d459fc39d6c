// What stands around a machine's chart: how it is now, a label that explains itself, its model, its incidents.
const wellsentryCards = (() => {
  const { state, number, span, element } = wellsentry;
  const { label, unit, utc } = wellsentryChart;
  const minute = ms => ms === null || ms === undefined ? "–" : utc(ms).slice(0, 16);
  const facts = pairs => element("dl", {}, ...pairs.flatMap(([name, value]) => [
    element("dt", { textContent: name }),
    value instanceof Node ? element("dd", {}, value) : element("dd", { textContent: value }),
  ]));
  const usual = (low, high) => low === null || low === undefined ? "–" : `${number(low)} to ${number(high)}`;

  async function copy(text, button) {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {  // only pages that came over TLS, or from this machine, may; else the command is marked, to be copied by hand
      getSelection().selectAllChildren(button.previousElementSibling);
      button.textContent = "Marked";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  }

  function command(text) {
    const button = element("button", { type: "button", className: "ws-small", textContent: "Copy", onclick: () => copy(text, button) });
    button.setAttribute("aria-label", "Copy: " + text);
    return element("div", { className: "ws-command" }, element("code", { textContent: text }), button);
  }

  // -- the head

  function incidentLink(id, text, machine) {
    return element("a", { href: `/incidents?${new URLSearchParams({ state: "", machine, incident: id })}`, textContent: text });
  }

  let head = "";
  function drawHead(row) {
    const shown = state(row.state), now = Date.now();
    const values = [...Object.entries(row.signals), ["value", row.value], ["median", row.median]];
    const isPsi = Object.keys(row.signals).every(name => unit(name));
    const pairs = [
      ["State", `${shown.sign} ${shown.text} for ${span(row.time_ms - row.since_ms)}, since ${minute(row.since_ms)} UTC`],
      ["What is the matter", row.why || "nothing"],
      ["Newest label", `${minute(row.time_ms)} UTC, came ${span(now - row.heard_ms)} ago`],
      ["Values", values.map(([name, value]) => `${label(name)} ${number(value)}${isPsi ? " psi" : ""}`).join(" · ")],
      ["Usual", `${usual(row.expected_low, row.expected_high)} · surprise ${number(row.surprise, 2)}`],
      ["Model", row.rung ? `${row.rung}, ${row.fitted_ms ? span(now - row.fitted_ms) + " old" : "of unknown age"}` : "none yet"],
    ];
    const text = JSON.stringify([pairs, row.incident, row.acknowledged_by]);
    if (text === head) return;
    head = text;
    const open = row.state === "incident" && row.incident
      ? [element("p", {}, incidentLink(row.incident, "▲ the open incident", row.machine), row.acknowledged_by ? `, ${row.acknowledged_by} looks after it` : "")]
      : [];
    document.getElementById("machine-head").replaceChildren(
      element("h1", { className: shown.css, textContent: `${row.machine} · ${row.client} · ${row.stack}` }), ...open, facts(pairs));
  }

  // -- a label

  async function explain(stack, client, machine, id, time) {
    const place = document.getElementById("machine-label");
    place.replaceChildren(element("h2", { textContent: id }), element("p", { textContent: "Looking for it." }));
    place.dataset.label = id;
    const response = await fetch(`/api/v1/labels/${encodeURIComponent(id)}?${new URLSearchParams({ client, machine, time: new Date(time).toISOString() })}`).catch(() => null);
    if (place.dataset.label !== id) return;  // another one was asked for since
    const found = response ? await response.json().catch(() => null) : null;
    if (!response?.ok) {
      place.replaceChildren(element("h2", { textContent: id }),
        element("p", { textContent: found?.detail || "The dashboard cannot be reached just now." }));
      return;
    }
    place.replaceChildren(...drawnLabel(found));
  }

  function drawnLabel({ label: one, said, anomalous_at, commands, found_in }) {
    const verdict = state(one.label === "unscored" && one.reason ? one.reason : one.label);
    const views = Object.entries(one.views || {}).filter(([, value]) => value !== null).sort((a, b) => b[1] - a[1]);
    const parts = [
      element("h2", {}, element("span", { className: verdict.css, textContent: `${verdict.sign} ${verdict.text}` }), ` · ${one.label_id}`),
      element("p", { textContent: said }),
      ...(one.because ? [element("p", { textContent: "Because " + one.because })] : []),
      ...(views.length ? [bars(views, anomalous_at)] : []),
      facts([
        ["When", utc(Date.parse(one.event_time)) + " UTC"],
        ...Object.entries(one.signals).map(([name, value]) => [label(name), number(value, 2) + unit(name)]),
        [label(one.feature), `${number(one.value, 2)}, median ${number(one.median, 2)}${unit(one.feature)}`],
        ["Expected", usual(one.expected_low, one.expected_high)],
        ["Surprise", `${number(one.surprise, 2)}, anomalous from ${number(anomalous_at)} on`],
        ["Score", `${number(one.score, 3)} by ${one.detector}`],
        ["Alert", one.alert],
        ...(one.incident_id ? [["Incident", incidentLink(one.incident_id, one.incident_id, one.machine_id)]] : []),
        ["Model", one.model_digest ? `${one.model_digest} (${one.model_rung}), since offset ${one.model_since_offset}` : one.model_rung || "none"],
        ["Code", `${one.code_version}, commit ${one.git_commit}`],
        ["Reading", `${one.source_topic} / ${one.source_partition} / ${one.source_offset}` + (one.partner_offset === null ? "" : `, with ${one.partner_offset}`)],
        ["Revision", one.revision + (one.supersedes ? `, in place of ${one.supersedes}` : "")],
        ["Found in", found_in === "table" ? "DynamoDB" : "the labels topic"],
      ]),
      element("p", { textContent: "Make it again:" }), command(commands.reproduce),
    ];
    if (commands.replay) parts.push(element("p", { textContent: "Judge the readings around it again:" }), command(commands.replay));
    return parts;
  }

  function bars(views, threshold) {
    const top = Math.max(6, ...views.map(([, value]) => value));
    const list = element("ul", { className: "ws-views" }, ...views.map(([name, value]) => {
      const bar = element("span", { className: value >= threshold ? "ws-bar-high" : "ws-bar-low" });
      bar.style.width = `${Math.max(1, 100 * value / top)}%`;
      return element("li", {}, element("span", { textContent: label(name) }), element("span", { className: "ws-bar-room" }, bar), element("span", { textContent: number(value, 2) }));
    }));
    list.setAttribute("aria-label", "Surprise of each view");
    return list;
  }

  // -- the model

  const REASONS = { first: "its first one", more_history: "there was twice as much history", daily: "a day had passed", manual: "somebody asked for it", feedback: "people said something" };

  async function drawModel(client, machine, stack) {
    const place = document.getElementById("machine-model");
    const path = `/api/v1/machines/${encodeURIComponent(client)}/${encodeURIComponent(machine)}/model`;
    const response = await fetch(`${path}?${new URLSearchParams({ stack })}`).catch(() => null);
    if (!response?.ok) { place.replaceChildren(element("h2", { textContent: "Model" }), element("p", { textContent: "It cannot be shown just now." })); return; }
    const found = await response.json(), manifest = found.manifest;
    const parts = [element("h2", { textContent: found.digest ? `Model ${found.digest}, ${found.rung}` : "Model" })];
    if (found.note) parts.push(element("p", { textContent: found.note }));
    for (const curve of found.curves) parts.push(...drawnCurve(curve, found.anomalous_at));
    if (manifest) {
      const said = (manifest.feedback || []).map(one => `${one.kind.replace("_", " ")} by ${one.by}, ${one.readings} readings`);
      parts.push(facts([
        ["Fitted", `${minute(Date.parse(manifest.fitted_at))} UTC, ${span(Date.now() - Date.parse(manifest.fitted_at))} ago`],
        ["To", `${manifest.readings.toLocaleString("en-US")} medians by ${manifest.detector}`],
        ["Because", REASONS[manifest.reason] || manifest.reason],
        ["Readings", manifest.source ? `${minute(Date.parse(manifest.source.first_time))} to ${minute(Date.parse(manifest.source.last_time))} UTC, up to offset ${manifest.source.last_offset} of ${manifest.source.topic}/${manifest.source.partition}` : `those of ${Object.keys(manifest.members).length} machines`],
        ["Left out", manifest.exclusions.map(([from, to]) => `${minute(Date.parse(from))} to ${minute(Date.parse(to))}`).join("; ") || "nothing"],
        ["Feedback", said.join("; ") || "none"],
        ["Parent", manifest.parent_digest || "none"],
        ...(found.activation ? [["Put in force", `by ${found.activation.by}, ${minute(Date.parse(found.activation.at))}: ${found.activation.why}${found.activation.pinned ? " (pinned)" : ""}`]] : []),
        ["Code", `${manifest.code_version}, commit ${manifest.git_commit}`],
      ]));
    }
    if (found.earlier.length) {
      parts.push(element("h3", { textContent: "Earlier ones, and how to go back" }), ...found.earlier.flatMap(one => [
        element("p", { textContent: `${one.digest}, fitted ${minute(Date.parse(one.fitted_at))} UTC to ${one.readings.toLocaleString("en-US")} medians, ${REASONS[one.reason] || one.reason}` }),
        command(one.command)]));
    }
    place.replaceChildren(...parts);
  }

  // Surprise over value: what is usual is shaded, the threshold a dashed line.
  function drawnCurve(curve, threshold) {
    const W = 400, H = 130, LEFT = 24, BOTTOM = 18, low = curve.values[0], high = curve.values[curve.values.length - 1], top = Math.max(6, ...curve.surprises);
    const x = value => LEFT + (W - LEFT) * (value - low) / (high - low || 1), y = value => (H - BOTTOM) * (1 - value / top) + 2;
    const svg = (name, attributes, text = "") => {
      const made = document.createElementNS("http://www.w3.org/2000/svg", name);
      for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
      made.textContent = text;
      return made;
    };
    const picture = svg("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", class: "ws-curve",
      "aria-label": `Surprise over ${label(curve.feature)}: usual from ${number(curve.expected_low)} to ${number(curve.expected_high)}` });
    const dash = { stroke: "var(--ws-incident)", "stroke-dasharray": "4 3" };
    picture.append(
      svg("rect", { x: x(curve.expected_low), y: 2, width: Math.max(1, x(curve.expected_high) - x(curve.expected_low)), height: H - BOTTOM, fill: "var(--ws-dim)", opacity: .22 }),
      svg("line", { x1: LEFT, x2: W, y1: y(threshold), y2: y(threshold), ...dash }),
      svg("polyline", { points: curve.values.map((value, i) => `${x(value).toFixed(1)},${y(curve.surprises[i]).toFixed(1)}`).join(" "), fill: "none", stroke: "var(--ws-normal)", "stroke-width": 2 }),
      ...[0, 3, 6].map(tick => svg("text", { x: LEFT - 4, y: y(tick) + (tick === 6 ? 9 : 3), "text-anchor": "end", class: "ws-tick" }, String(tick))),
      svg("text", { x: LEFT, y: H - 3, class: "ws-tick" }, number(low)), svg("text", { x: W, y: H - 3, "text-anchor": "end", class: "ws-tick" }, number(high)),
      svg("text", { x: (W + LEFT) / 2, y: H - 3, "text-anchor": "middle", class: "ws-tick" }, label(curve.feature) + unit(curve.feature)));
    return [picture, element("p", { textContent: `Usual ${number(curve.expected_low)} to ${number(curve.expected_high)}${unit(curve.feature)} (shaded); anomalous above the dashed line.` })];
  }

  // -- incidents

  const answered = one => one.verdict ? one.verdict.replace("_", " ") : one.acknowledged_by ? "seen by " + one.acknowledged_by : "none yet";

  function drawIncidents(incidents, machine, look) {
    const place = document.getElementById("machine-incidents");
    if (!incidents.length) { place.replaceChildren(element("h2", { textContent: "Incidents" }), element("p", { textContent: "None that is known." })); return; }
    const heads = ["State", "Opened (UTC)", "Lasted", "Actual", "Expected", "Surprise", "Answer", ""];
    const rows = incidents.slice(0, 50).map(one => element("tr", {},
      element("td", { className: one.state === "open" ? "ws-incident" : "ws-unscored", textContent: one.state === "open" ? "▲ open" : "○ closed" }),
      element("td", {}, incidentLink(one.id, minute(one.opened_ms), machine)),
      ...[one.closed_ms === null ? "goes on" : span(one.closed_ms - one.opened_ms), number(one.actual), usual(one.expected_low, one.expected_high), number(one.peak_surprise, 2), answered(one)]
        .map(text => element("td", { textContent: text })),
      element("td", {}, element("button", { type: "button", className: "ws-small", textContent: "Show", onclick: () => look(one) }))));
    place.replaceChildren(element("h2", { textContent: `Incidents (${incidents.length})` }),
      element("table", {}, element("thead", {}, element("tr", {}, ...heads.map(text => element("th", { textContent: text, scope: "col" })))), element("tbody", {}, ...rows)));
  }

  return { drawHead, explain, drawModel, drawIncidents };
})();
