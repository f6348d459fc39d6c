// What all pages share: numbers and ages as people read them, states with a sign besides their colour, and a socket that comes back.
const wellsentry = (() => {
  const STATES = {
    urgent: { sign: "!", text: "to look at" },
    incident: { sign: "▲", text: "incident" },
    anomalous: { sign: "◆", text: "anomalous" },
    normal: { sign: "●", text: "normal" },
    silent: { sign: "✕", text: "silent" },
  };

  // A state as it is shown; what is none of the four is why a reading was not scored.
  function state(name) {
    const known = STATES[name];
    return known ? { ...known, css: "ws-" + name } : { sign: "○", text: name.replaceAll("_", " "), css: "ws-unscored" };
  }

  function number(value, digits = 1) {
    return value === null || value === undefined
      ? "–" : value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  }

  function span(ms) {
    if (ms === null || ms === undefined) return "–";
    const s = Math.max(0, Math.round(ms / 1000));
    if (s < 60) return s + " s";
    if (s < 3600) return Math.floor(s / 60) + " min";
    if (s < 172800) return Math.floor(s / 3600) + " h";
    return Math.floor(s / 86400) + " d";
  }

  // A socket that is opened again when it breaks, later each time. The server begins anew with everything. What comes back
  // sends: to whom nobody listens just now nothing is sent.
  function follow(path, onMessage) {
    const shown = document.getElementById("ws-connection");
    let wait = 500, socket = null;
    function open() {
      const scheme = location.protocol === "https:" ? "wss://" : "ws://";
      socket = new WebSocket(scheme + location.host + path);
      socket.onmessage = event => { wait = 500; onMessage(JSON.parse(event.data)); if (shown) shown.textContent = "● live"; };
      socket.onclose = event => {
        if (event.code === 4401) return location.reload(); // signed out: the page leads to where one signs in
        if (shown) shown.textContent = "✕ not connected, trying again";
        setTimeout(() => ask().then(open), wait);
        wait = Math.min(wait * 2, 10000);
      };
    }
    // Why a socket was refused a page is not told; whoever has to sign in again is told so here.
    async function ask() {
      const answer = await fetch("/api/v1/health").catch(() => null);
      if (answer && answer.status === 401) location.reload();
    }
    if (shown) shown.textContent = "○ connecting";
    open();
    return text => { if (socket.readyState === WebSocket.OPEN) socket.send(text); };
  }

  // Calls of the last few moments as one.
  function soon(call, ms = 150) {
    let timer = null;
    return () => { timer ??= setTimeout(() => { timer = null; call(); }, ms); };
  }

  // An element with what is in it.
  function element(name, properties = {}, ...children) {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  }

  return { element, state, number, span, follow, soon };
})();
