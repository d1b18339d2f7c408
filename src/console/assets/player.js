// Players: a waveform of points that the server has made, never of the sound itself, so that an hour opens like a minute.

const SPEEDS = [0.75, 1, 1.25, 1.5, 2];
const STEP_S = 10;

const clock = (seconds) => {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (number) => String(number).padStart(2, '0');
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
};

const players = [];
let active = null;

const player = (root) => {
  const audio = root.querySelector('audio');
  const stage = root.querySelector('.player__stage');
  if (!audio || !stage) return;
  const canvas = root.querySelector('canvas');
  const seek = root.querySelector('.player__seek');
  const toggle = root.querySelector('[data-do="toggle"]');
  const speed = root.querySelector('[data-do="speed"]');
  const elapsed = root.querySelector('[data-elapsed]');
  const said = root.querySelector('.player__said');
  const reason = root.querySelector('[data-reason]');
  const links = [...root.querySelectorAll('[data-at]')];
  const marks = links.map((link) => ({ at: Number(link.dataset.at) / 1000, kind: link.dataset.kind, link }));
  const total = Number(root.dataset.duration) / 1000;
  let outline = null;
  // until the sound is there, where it will begin
  let wanted = 0;

  const now = () => (audio.readyState > 0 ? audio.currentTime : wanted);

  const draw = () => {
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (!width) return;
    const scale = devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
      canvas.width = Math.round(width * scale);
      canvas.height = Math.round(height * scale);
    }
    const colours = getComputedStyle(root);
    const colour = (name) => colours.getPropertyValue(name).trim();
    const pen = canvas.getContext('2d');
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
    const place = (seconds) => (total ? (seconds / total) * width : 0);
    pen.fillStyle = colour('--line');
    for (const mark of marks) if (mark.kind === 'prompt') pen.fillRect(place(mark.at), 0, 1, height);
    const channels = outline ? outline.channels : [];
    channels.forEach((points, at) => {
      const lane = height / channels.length;
      const middle = lane * (at + 0.5);
      pen.fillStyle = colour(at === 0 ? '--one' : '--two');
      const step = outline.ms_a_point / 1000;
      points.forEach((point, index) => {
        const high = Math.max(0.5, (point / 255) * (lane / 2 - 2));
        pen.fillRect(place(index * step), middle - high, Math.max(1, place(step) * 0.8), high * 2);
      });
    });
    pen.fillStyle = colour('--ok');
    for (const mark of marks) if (mark.kind !== 'prompt') pen.fillRect(place(mark.at) - 1, 0, mark.kind === 'answer' ? 3 : 2, 10);
    pen.fillStyle = colour('--late');
    pen.fillRect(place(now()) - 1, 0, 2, height);
  };

  const show = () => {
    const at = now();
    elapsed.textContent = clock(at);
    seek.value = String(Math.round(at * 1000));
    seek.setAttribute('aria-valuetext', clock(at));
    let last = null;
    for (const mark of marks) if (mark.at <= at + 0.05) last = mark;
    for (const mark of marks) {
      if (mark === last && at > 0) mark.link.setAttribute('aria-current', 'true');
      else mark.link.removeAttribute('aria-current');
    }
    draw();
  };

  const follow = () => {
    show();
    if (!audio.paused) requestAnimationFrame(follow);
  };

  const go = (seconds) => {
    wanted = Math.min(Math.max(0, seconds), total);
    if (audio.readyState > 0) audio.currentTime = wanted;
    show();
  };

  const play = () => {
    if (!audio.src) {
      reason?.reportValidity();
      return;
    }
    for (const other of players) if (other !== it) other.pause();
    audio.play().catch(() => {});
  };

  const pace = (value) => {
    audio.playbackRate = value;
    audio.defaultPlaybackRate = value;
    speed.value = String(value);
  };

  const it = {
    root,
    pause: () => audio.pause(),
    toggle: () => (audio.paused ? play() : audio.pause()),
    step: (seconds) => go(now() + seconds),
    pace: (direction) => {
      const at = SPEEDS.indexOf(audio.playbackRate) + direction;
      if (SPEEDS[at]) pace(SPEEDS[at]);
    },
  };

  audio.addEventListener('loadedmetadata', () => {
    if (wanted) audio.currentTime = wanted;
    pace(Number(speed.value));
  });
  audio.addEventListener('play', () => {
    active = it;
    toggle.textContent = root.dataset.pause;
    follow();
  });
  audio.addEventListener('pause', () => {
    toggle.textContent = root.dataset.play;
    wanted = audio.currentTime;
    show();
  });
  audio.addEventListener('seeked', show);
  audio.addEventListener('ended', show);
  seek.addEventListener('input', () => go(Number(seek.value) / 1000));
  speed.addEventListener('change', () => pace(Number(speed.value)));
  toggle.addEventListener('click', it.toggle);
  root.querySelector('[data-do="back"]').addEventListener('click', () => it.step(-STEP_S));
  root.querySelector('[data-do="forward"]').addEventListener('click', () => it.step(STEP_S));
  canvas.addEventListener('click', (event) => {
    const box = canvas.getBoundingClientRect();
    go(((event.clientX - box.left) / box.width) * total);
  });
  for (const mark of marks) {
    mark.link.addEventListener('click', (event) => {
      event.preventDefault();
      go(mark.at);
      play();
    });
  }
  reason?.addEventListener('submit', (event) => {
    event.preventDefault();
    const words = new URLSearchParams(new FormData(reason));
    audio.src = `${audio.dataset.from}?${words}`;
    play();
  });
  root.addEventListener('focusin', () => (active = it));
  root.addEventListener('pointerdown', () => (active = it));

  audio.controls = false;
  audio.hidden = true;
  stage.hidden = false;
  said.textContent = root.dataset.loading;
  new ResizeObserver(draw).observe(canvas);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
  fetch(root.dataset.peaks, { headers: { accept: 'application/json' } })
    .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(String(answer.status)))))
    .then((made) => {
      outline = made;
      if (made.channels.length === 1) root.dataset.mono = 'yes';
      root.dataset.ready = 'yes';
      said.textContent = '';
      draw();
    })
    .catch(() => {
      said.textContent = root.dataset.failed;
    });
  players.push(it);
  active ??= it;
  show();

  // `#t=12.3` of an address goes there
  const fragment = /^#t=([0-9.]+)$/.exec(location.hash);
  if (fragment && players.length === 1) go(Number(fragment[1]));
};

document.querySelectorAll('[data-player]').forEach(player);

const typing = (target) =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

// What a focused thing does with the space bar by itself.
const pressed = (target) => target instanceof HTMLElement && /^(BUTTON|A|SUMMARY|AUDIO)$/.test(target.tagName);

const PLAIN = {
  ' ': (it) => it.toggle(),
  ArrowLeft: (it) => it.step(-STEP_S),
  ArrowRight: (it) => it.step(STEP_S),
  '<': (it) => it.pace(-1),
  '>': (it) => it.pace(1),
};

// By place on the keyboard: with Alt some layouts write other letters.
const WITH_ALT = {
  KeyK: (it) => it.toggle(),
  KeyJ: (it) => it.step(-STEP_S),
  KeyL: (it) => it.step(STEP_S),
  Comma: (it) => it.pace(-1),
  Period: (it) => it.pace(1),
};

document.addEventListener('keydown', (event) => {
  if (!active || event.ctrlKey || event.metaKey || event.isComposing) return;
  let does = null;
  if (event.altKey) does = WITH_ALT[event.code];
  else if (!typing(event.target) || event.target.classList.contains('player__seek')) does = PLAIN[event.key];
  if (!does || (event.key === ' ' && pressed(event.target))) return;
  event.preventDefault();
  does(active);
});
