// What a person says about an incident: sent once, shown when it comes back from the topic, undone by the same way.
const wellsentryAnswer = (() => {
  const { span, element } = wellsentry;
  const WORDS = {
    confirm: "confirmed it", false_alarm: "called it a false alarm", acknowledge: "looks after it", comment: "wrote",
    shelve: "shelved it", undo: "took back",
  };

  // What browsers have by themselves over https or on this machine alone.
  function newKey() {
    return [...crypto.getRandomValues(new Uint8Array(16))].map(byte => byte.toString(16).padStart(2, "0")).join("");
  }

  // Each press has a key of its own: pressed once and sent twice, it counts once.
  async function say(incident, kind, more = {}) {
    const body = {
      client_id: incident.client, machine_id: incident.machine, stack: incident.stack, incident_id: incident.id, kind, ...more,
    };
    const key = newKey();
    for (let attempt = 0; ; attempt++) {
      try {
        const response = await fetch("/api/v1/feedback", {
          method: "POST", headers: { "Content-Type": "application/json", "Idempotency-Key": key }, body: JSON.stringify(body),
        });
        if (response.ok) return null;
        const problem = await response.json().catch(() => ({}));
        return problem.detail || `refused with status ${response.status}`;
      } catch (error) {
        if (attempt === 3) return "the dashboard cannot be reached: " + error.message;
        await new Promise(resolve => setTimeout(resolve, 300 * 2 ** attempt));
      }
    }
  }

  // Buttons and what was said so far. What they may not do is not offered.
  function panel(incident, mayAnswer) {
    const told = element("p", { className: "ws-told", role: "alert" });
    const text = element("textarea", { rows: 2, maxLength: 2000, placeholder: "in your words" });
    text.setAttribute("aria-label", "Comment");
    const hours = element("select", {}, ...[1, 4, 8, 24, 72].map(h => new Option(`${h} h`, h)));
    hours.setAttribute("aria-label", "Shelve for");
    const press = (label, kind, more = () => ({})) => element("button", {
      type: "button", textContent: label, onclick: async event => {
        event.target.disabled = true;
        const words = text.value.trim();
        told.textContent = "sending";
        const problem = await say(incident, kind, { ...(words ? { text: words } : {}), ...more() });
        told.textContent = problem || "sent";
        if (!problem) text.value = "";
        event.target.disabled = false;
      },
    });
    const buttons = element("div", { className: "ws-buttons" },
      press("Confirm", "confirm"), press("False alarm", "false_alarm"), press("I look after it", "acknowledge"),
      press("Comment", "comment"),
      press("Shelve for", "shelve", () => ({ until: new Date(Date.now() + hours.value * 3600000).toISOString() })), hours);
    const said = element("ol", { className: "ws-said" }, ...incident.said.map(one => {
      const line = element("li", { className: one.counts ? "" : "ws-undone" },
        element("b", { textContent: one.by }), ` ${WORDS[one.kind]}`,
        one.until_ms ? ` until ${new Date(one.until_ms).toLocaleString()}` : "",
        one.text ? `: ${one.text}` : "", ` (${span(Date.now() - one.at_ms)} ago)`);
      if (!one.counts) line.append(" – taken back");
      else if (mayAnswer && one.kind !== "undo") {
        line.append(" ", element("button", {
          type: "button", className: "ws-small", textContent: "Undo",
          onclick: async () => { told.textContent = await say(incident, "undo", { undoes: one.id }) || "sent"; },
        }));
      }
      return line;
    }));
    return element("div", { className: "ws-answer" }, ...(mayAnswer ? [text, buttons, told] : []), said);
  }

  return { panel };
})();
