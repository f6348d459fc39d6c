// How the installation does, drawn anew each second from one message.
const wellsentryHealth = (() => {
  const { number, span, follow, state, element } = wellsentry;

  const count = value => value === null || value === undefined ? "–" : value.toLocaleString("en-US");
  const percent = value => value === null ? "–" : (100 * value).toFixed(1) + " %";

  function card(title, ...children) {
    return element("section", { className: "ws-card" }, element("h2", { textContent: title }), ...children);
  }

  function facts(pairs) {
    const list = element("dl");
    for (const [name, value] of pairs) list.append(element("dt", { textContent: name }), element("dd", { textContent: value }));
    return list;
  }

  function table(names, rows) {
    const head = element("tr", {}, ...names.map(name => element("th", { textContent: name, scope: "col" })));
    const body = rows.map(row => element("tr", {}, ...row.map(value => element("td", { textContent: value }))));
    return element("table", {}, element("thead", {}, head), element("tbody", {}, ...body));
  }

  function draw(found) {
    const warnings = [];
    if (found.broker) warnings.push("Kafka does not answer: " + found.broker);
    if (found.anomalous.flood) warnings.push(
      `${percent(found.anomalous.now)} of all labels are anomalous, where ${percent(found.anomalous.usual)} is usual: `
      + "look for one cause before looking at single wells.");
    if (found.skipped) warnings.push(`${count(found.skipped)} records were not what their topic promises, and are not shown.`);
    for (const group of found.groups) if (group.members && !group.members.length) warnings.push(`No ${group.program} is at work.`);
    const sections = [
      card("Programs", table(["program", "at work", "partitions each", "behind", "records/s on its topic"], found.groups.map(group => [
        group.program, group.members === null ? "not told" : count(group.members.length),
        group.members === null ? "–" : group.members.map(one => one.partitions).join(", ") || "–", count(group.lag), number(group.per_s),
      ]))),
      card("Latency", facts([
        ["reading to label, half of them", found.latency_ms.p50 === null ? "–" : found.latency_ms.p50 + " ms"],
        ["99 of 100", found.latency_ms.p99 === null ? "–" : found.latency_ms.p99 + " ms"],
        ["samples", count(found.latency_ms.samples)], ["this dashboard is behind", count(found.behind) + " labels"],
      ])),
      card("Labels of five minutes", facts([
        ...Object.entries(found.labels).map(([name, value]) => [name, count(value)]),
        ["anomalous of those scored", percent(found.anomalous.now)], ["usual in the hour before", percent(found.anomalous.usual)],
      ])),
      card("Machines", facts(Object.entries(found.machines).map(([name, value]) => [state(name).sign + " " + state(name).text, count(value)]))),
      card("Models", facts([
        ...Object.entries(found.models).map(([name, value]) => [name, count(value)]),
        ["oldest in force", found.oldest_model_ms === null ? "–" : span(found.at_ms - found.oldest_model_ms)],
      ])),
    ];
    if (found.rejected !== null) {
      const reasons = Object.entries(found.rejected);
      sections.push(card("Rejected in the last hour",
        reasons.length ? facts(reasons.map(([name, value]) => [name.replaceAll("_", " "), count(value)])) : element("p", { textContent: "nothing" })));
      if (found.rejected_samples.length) {
        const samples = card("The last ones", table(["when", "reason", "what was wrong", "where", "key", "value"], found.rejected_samples.map(one =>
          [span(found.at_ms - one.at_ms) + " ago", one.reason.replaceAll("_", " "), one.detail, one.place, one.key, one.value])));
        samples.classList.add("ws-wide");
        sections.push(samples);
      }
    }
    document.getElementById("health").replaceChildren(
      element("div", { className: "ws-warnings", role: "alert" }, ...warnings.map(text => element("p", { textContent: "▲ " + text }))),
      element("div", { className: "ws-cards" }, ...sections));
  }

  return { begin: () => follow("/live/health", draw) };
})();
