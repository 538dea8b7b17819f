"use strict";
// Skeleton players of the report. One drawing loop serves all canvases; nothing is loaded.
(() => {
  const root = document.body;
  window.addEventListener("error", (event) => { root.dataset.error = String(event.message); });
  const clips = JSON.parse(document.getElementById("clips-data").textContent);
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const players = [];
  let colours = readColours();

  function readColours() {
    const style = getComputedStyle(document.documentElement);
    const read = (name) => style.getPropertyValue(name).trim();
    return { left: read("--left"), right: read("--right"), middle: read("--middle"), page: read("--page"),
      line: read("--line"), ink: read("--ink"), muted: read("--muted") };
  }

  class Player {
    constructor(card, clip) {
      this.clip = clip;
      this.card = card;
      this.canvas = card.querySelector("canvas");
      this.context = this.canvas.getContext("2d");
      this.button = card.querySelector(".play");
      this.scrub = card.querySelector(".scrub");
      this.speed = card.querySelector(".speed");
      [this.persons, this.frames, this.joints] = clip.shape;
      this.scrub.max = String(this.frames - 1);
      this.playing = false;
      this.visible = true;
      this.face();
      this.time = Math.floor((this.frames - 1) / 2);
      this.listen();
      this.draw();
    }

    face() { this.yaw = 0.35; this.pitch = 0.16; }

    listen() {
      this.button.addEventListener("click", () => this.play(!this.playing));
      this.scrub.addEventListener("input", () => { this.play(false); this.time = Number(this.scrub.value); this.draw(); });
      let last = null;
      this.canvas.addEventListener("pointerdown", (event) => {
        last = [event.clientX, event.clientY];
        this.canvas.setPointerCapture(event.pointerId);
      });
      this.canvas.addEventListener("pointermove", (event) => {
        if (last === null) return;
        this.turn((event.clientX - last[0]) * 0.011, (event.clientY - last[1]) * 0.007);
        last = [event.clientX, event.clientY];
      });
      const release = () => { last = null; };
      this.canvas.addEventListener("pointerup", release);
      this.canvas.addEventListener("pointercancel", release);
      this.canvas.addEventListener("keydown", (event) => {
        const actions = {
          ArrowLeft: () => this.turn(-0.14, 0), ArrowRight: () => this.turn(0.14, 0),
          ArrowUp: () => this.turn(0, -0.08), ArrowDown: () => this.turn(0, 0.08),
          " ": () => this.play(!this.playing), ",": () => this.step(-1), ".": () => this.step(1),
          0: () => { this.face(); this.draw(); },
        };
        if (event.ctrlKey || event.metaKey || event.altKey || !actions[event.key]) return;
        event.preventDefault();
        actions[event.key]();
      });
    }

    play(on) {
      this.playing = on && this.frames > 1;
      this.button.textContent = this.playing ? "❚❚" : "▶";
      this.button.setAttribute("aria-label", this.playing ? "Pause" : "Play");
      if (this.playing) wake();
      syncPlayAll();
    }

    turn(yaw, pitch) {
      this.yaw += yaw;
      this.pitch = Math.min(1.4, Math.max(-0.1, this.pitch + pitch));
      this.draw();
    }

    step(by) {
      this.play(false);
      this.time = (Math.floor(this.time) + by + this.frames) % this.frames;
      this.draw();
    }

    advance(seconds) {
      this.time = (this.time + seconds * this.clip.fps * Number(this.speed.value)) % this.frames;
      this.draw();
    }

    // Orbit camera on the sensor's side (it looks along +z, so a smaller x lies to the right).
    camera(width, height) {
      const reach = Math.max(this.clip.height / 2, this.clip.radius, 1) * 1.18;
      const distance = reach * 4.2;
      const zoom = (Math.min(width, height) / 2 / reach) * (distance - reach * 0.25);
      const [cy, sy, cp, sp] = [Math.cos(this.yaw), Math.sin(this.yaw), Math.cos(this.pitch), Math.sin(this.pitch)];
      const middle = this.clip.height / 2;
      return (x, y, z) => {
        const across = -(x * cy + z * sy);
        const away = z * cy - x * sy;
        const up = (y - middle) * cp + away * sp;
        const depth = distance + away * cp - (y - middle) * sp;
        const scale = zoom / Math.max(depth, reach * 0.2);
        return [width / 2 + across * scale, height / 2 - up * scale, depth, scale];
      };
    }

    draw() {
      const canvas = this.canvas;
      const ratio = window.devicePixelRatio || 1;
      const width = canvas.clientWidth || 300;
      const height = canvas.clientHeight || 300;
      if (canvas.width !== Math.round(width * ratio)) {
        canvas.width = Math.round(width * ratio);
        canvas.height = Math.round(height * ratio);
      }
      const ink = this.context;
      ink.setTransform(ratio, 0, 0, ratio, 0, 0);
      ink.clearRect(0, 0, width, height);
      ink.lineCap = "round";
      const frame = Math.min(Math.floor(this.time), this.frames - 1);
      const project = this.camera(width, height);
      this.floor(ink, project);
      const bodies = [];
      for (let person = 0; person < this.persons; person += 1) {
        if (this.clip.present[person][frame] === "1") bodies.push(this.body(person, frame, project));
      }
      bodies.forEach((body) => this.shadow(ink, body));
      bodies.sort((a, b) => b.depth - a.depth).forEach((body) => this.figure(ink, body));
      if (bodies.length === 0) {
        ink.fillStyle = colours.muted;
        ink.font = "14px system-ui, sans-serif";
        ink.textAlign = "center";
        ink.fillText("no person tracked", width / 2, height / 2);
      }
      this.scrub.value = String(frame);
      this.scrub.setAttribute("aria-valuetext", `frame ${frame + 1} of ${this.frames}`);
      const thinned = this.clip.every > 1 ? `, one frame in ${this.clip.every} kept` : "";
      this.card.querySelector(".frame-info").textContent = `frame ${frame + 1}/${this.frames}${thinned}`;
    }

    body(person, frame, project) {
      const seen = [];
      const ground = [];
      let depth = 0;
      for (let joint = 0; joint < this.joints; joint += 1) {
        const at = ((person * this.frames + frame) * this.joints + joint) * 3;
        const [x, y, z] = this.clip.points.slice(at, at + 3);
        seen.push(project(x, y, z));
        ground.push(project(x, 0, z));
        depth += seen[joint][2] / this.joints;
      }
      return { person, seen, ground, depth };
    }

    floor(ink, project) {
      const half = Math.max(this.clip.radius, this.clip.height * 0.42) * 1.12;
      const cells = 6;
      ink.strokeStyle = colours.line;
      ink.lineWidth = 1;
      ink.beginPath();
      for (let line = 0; line <= cells; line += 1) {
        const at = -half + (2 * half * line) / cells;
        for (const [from, to] of [[[at, -half], [at, half]], [[-half, at], [half, at]]]) {
          const start = project(from[0], 0, from[1]);
          const end = project(to[0], 0, to[1]);
          ink.moveTo(start[0], start[1]);
          ink.lineTo(end[0], end[1]);
        }
      }
      ink.stroke();
    }

    shadow(ink, body) {
      ink.strokeStyle = colours.ink;
      ink.globalAlpha = 0.07;
      for (const [from, to] of this.clip.bones) {
        ink.lineWidth = this.clip.height * 0.045 * body.ground[from][3];
        ink.beginPath();
        ink.moveTo(body.ground[from][0], body.ground[from][1]);
        ink.lineTo(body.ground[to][0], body.ground[to][1]);
        ink.stroke();
      }
      ink.globalAlpha = 1;
    }

    side(from, to) {
      const sides = [this.clip.sides[from], this.clip.sides[to]];
      return sides.find((side) => side !== "middle") || "middle";
    }

    figure(ink, body) {
      const order = [...this.clip.bones].sort((a, b) =>
        body.seen[b[0]][2] + body.seen[b[1]][2] - body.seen[a[0]][2] - body.seen[a[1]][2]);
      for (const [from, to] of order) {
        const [start, end] = [body.seen[from], body.seen[to]];
        const thick = Math.max(2.5, this.clip.height * 0.026 * (start[3] + end[3]) / 2);
        for (const [colour, lineWidth] of [[colours.page, thick + 3], [colours[this.side(from, to)], thick]]) {
          ink.strokeStyle = colour;
          ink.lineWidth = lineWidth;
          ink.beginPath();
          ink.moveTo(start[0], start[1]);
          ink.lineTo(end[0], end[1]);
          ink.stroke();
        }
        if (body.person > 0) this.stripe(ink, start, end, thick);
      }
      this.clip.sides.forEach((side, joint) => {
        const [x, y, , scale] = body.seen[joint];
        ink.fillStyle = colours[side];
        ink.beginPath();
        ink.arc(x, y, Math.max(2, this.clip.height * 0.019 * scale), 0, 2 * Math.PI);
        ink.fill();
      });
      this.head(ink, body);
    }

    // The second person is striped, so that two bodies differ by more than a colour.
    stripe(ink, start, end, thick) {
      ink.strokeStyle = colours.page;
      ink.lineWidth = Math.max(1, thick * 0.35);
      ink.beginPath();
      ink.moveTo(start[0], start[1]);
      ink.lineTo(end[0], end[1]);
      ink.stroke();
    }

    head(ink, body) {
      const joint = this.clip.head;
      if (joint === null) return;
      const [x, y, , scale] = body.seen[joint];
      const radius = this.clip.height * 0.05 * scale;
      ink.fillStyle = body.person > 0 ? colours.page : colours.middle;
      ink.strokeStyle = body.person > 0 ? colours.middle : colours.page;
      ink.lineWidth = 2;
      ink.beginPath();
      ink.arc(x, y, radius, 0, 2 * Math.PI);
      ink.fill();
      ink.stroke();
      if (this.persons < 2) return;
      ink.fillStyle = colours.ink;
      ink.font = "600 12px system-ui, sans-serif";
      ink.textAlign = "center";
      ink.fillText(String(body.person + 1), x, y - radius - 5);
    }
  }

  let before = null;
  function tick(now) {
    const seconds = before === null ? 0 : Math.min(0.1, (now - before) / 1000);
    const active = players.filter((player) => player.playing && player.visible);
    active.forEach((player) => player.advance(seconds));
    before = active.length ? now : null;
    if (active.length) requestAnimationFrame(tick);
  }
  function wake() { if (before === null) { before = performance.now(); requestAnimationFrame(tick); } }

  const playAll = document.getElementById("play-all");
  function syncPlayAll() {
    if (!playAll) return;
    const any = players.some((player) => player.playing);
    playAll.textContent = any ? "Pause all" : "Play all";
    playAll.setAttribute("aria-pressed", String(any));
  }
  if (playAll) playAll.addEventListener("click", () => {
    const on = !players.some((player) => player.playing);
    players.forEach((player) => player.play(on));
  });

  for (const card of document.querySelectorAll("[data-clip]")) {
    players.push(new Player(card, clips[Number(card.dataset.clip)]));
  }
  const watch = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      const player = players.find((item) => item.canvas === entry.target);
      player.visible = entry.isIntersecting;
      if (player.visible && player.playing) wake();
    }
  });
  players.forEach((player) => watch.observe(player.canvas));
  // One moving figure shows that all can move; a reader who asked for calm gets none.
  if (players.length && !calm.matches) players[0].play(true);

  const redraw = () => { colours = readColours(); players.forEach((player) => player.draw()); };
  dark.addEventListener("change", redraw);
  window.addEventListener("resize", redraw);
  window.addEventListener("beforeprint", redraw);

  const choice = document.getElementById("heads-clip");
  const show = () => {
    for (const block of document.querySelectorAll("[data-heads]")) block.hidden = block.dataset.heads !== choice.value;
  };
  if (choice) { choice.addEventListener("change", show); show(); }
  root.dataset.players = String(players.length);
  root.dataset.ready = "true";
})();
