// The verdict on a number as it is written, on the ladder of `derive check`. All arithmetic is on whole numbers: a
// fraction is [top, bottom], its bottom positive.
const judge = (() => {
  const ten = (power) => (power < 0 ? [1n, 10n ** BigInt(-power)] : [10n ** BigInt(power), 1n]);
  const times = (a, b) => [a[0] * b[0], a[1] * b[1]];
  const minus = (a, b) => [a[0] * b[1] - b[0] * a[1], a[1] * b[1]];
  const size = (a) => [a[0] < 0n ? -a[0] : a[0], a[1]];
  const less = (a, b) => a[0] * b[1] < b[0] * a[1];
  const within = (a, b, reach) => !less(reach, size(minus(a, b)));
  const whole = (a) => a[0] % a[1] === 0n;
  const HALF = [1n, 2n], BILLIONTH = [1n, 10n ** 9n];
  const ABOVE = [10n ** 9n + 1n, 10n ** 9n]; // a little more than 1

  const DECIMAL = /^([-+]?) ?(?:([0-9]+)(?:(\.)([0-9]*))?|\.([0-9]+))(?:[eE]([-+]?[0-9]+)| ?\* ?10 ?\^ ?(?:([-+]?[0-9]+)|\( ?([-+]?[0-9]+) ?\)))?$/;
  const FRACTION = /^([-+]?) ?([0-9]+) ?\/ ?([0-9]+)$/;
  const GROUPED = /^[-+]? ?[1-9][0-9]{0,2}(?:\.[0-9]{3})+$/;
  const MIXED = /^[-+]? ?[0-9]{1,3}(?:(?:,[0-9]{3})+\.|(?:\.[0-9]{3})+,)[0-9]*$/;
  const RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", LOW = "0123456789+-";
  const MOST = 40, FARTHEST = 308, LARGEST = 300, SMALLEST = -323;

  const plain = (text) =>
    text.replace(/[−–]/g, "-").replace(/[\u00a0\u2007\u2009\u200a\u202f\t]/g, " ").replace(/[×·⋅]/g, "*")
      .replace(/[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻]+/g, (run) => "^(" + [...run].map((c) => LOW[RAISED.indexOf(c)]).join("") + ")")
      .trim().replace(/^'/, "").trim();
  const pointed = (text) => text.replace(/^([-+]? ?),(?=[0-9])/, "$1.").replace(/([0-9]),(?=[0-9])/g, "$1.");

  // {value, unit: of the last digit, low, high: the significant digits it may be read as having, decimals}, or what is wrong
  const read = (text, comma) => {
    if (text.length > 1000) return "unreadable";
    let shown = plain(text);
    if (MIXED.test(shown) || (comma && GROUPED.test(shown))) return "unreadable";
    if (comma) shown = pointed(shown);
    else if (pointed(shown) !== shown && DECIMAL.test(pointed(shown))) return "comma";
    let found = DECIMAL.exec(shown);
    if (found) return decimal(found);
    found = FRACTION.exec(shown);
    if (!found || found[2].length > MOST || found[3].length > MOST || /^0[0-9]/.test(found[2]) || /^0/.test(found[3])) return "unreadable";
    return { value: [BigInt(found[1].replace("+", "") + found[2]), BigInt(found[3])], unit: [0n, 1n], low: MOST, high: MOST, decimals: MOST };
  };

  const decimal = ([, sign, before, point, after, only, ...powers]) => {
    const exponent = powers.find((power) => power !== undefined);
    const part = after ?? only ?? "", digits = (before ?? "") + part, bare = digits.replace(/^0+/, "");
    if (/^0[0-9]/.test(before ?? "") || digits.length > MOST) return "unreadable";
    if (exponent && Math.abs(+exponent) > FARTHEST) return "unreadable";
    const decimals = part.length - +(exponent ?? 0), first = bare.length - 1 - decimals;
    if (bare && (first > LARGEST || first < SMALLEST)) return "unreadable";
    const unit = ten(-decimals), high = bare.length || 1;
    const low = point || only !== undefined || exponent ? high : bare.replace(/0+$/, "").length || 1;
    return { value: times([BigInt((sign === "-" ? "-" : "") + digits), 1n], unit), unit, low, high, decimals: Math.max(decimals, 0) };
  };

  // the right value as the page gives it: 0.25 and 3/7 are exact, 0.14285714285714285714… goes on
  const right = (text) => {
    const [top, bottom] = text.replace("…", "").split("/"), [mantissa, exponent] = top.split(/e/i), [before, after = ""] = mantissa.split(".");
    const value = times([BigInt(before + after), BigInt(bottom ?? 1)], ten(+(exponent ?? 0) - after.length));
    return { value, short: !text.endsWith("…") };
  };

  // text: as it is typed · value: the right one · asked: {significant} digits or {decimals} · comma: whether the page has a decimal comma
  return (text, value, { significant = 0, decimals }, comma) => {
    const s = read(text, comma), v = right(value);
    if (typeof s === "string") return s;
    const closed = s.unit[0] === 0n, zero = s.value[0] === 0n, big = size(v.value);
    const coarser = s.low === s.high || decimals !== undefined ? 0 : Math.max(0, s.high - Math.max(s.low, +significant));
    const unit = times(s.unit, ten(coarser)), enough = closed || (decimals !== undefined ? !less(ten(-decimals), s.unit) : !zero && s.high >= significant);
    const reach = (one) => (closed ? times(big, BILLIONTH) : times(one, HALF));
    const same = v.short && minus(s.value, v.value)[0] === 0n;
    const detailed = v.short && whole(times(v.value, ten(s.decimals)));
    const coarse = !enough && !detailed && less(big, times(unit, [10n, 1n]));
    if (within(s.value, v.value, reach(unit))) return coarse ? "too_coarse" : enough || same ? "correct" : "low_precision";
    if (coarse) return "too_coarse";
    const more = closed || zero ? 0 : Math.max(0, decimals !== undefined ? s.decimals - decimals : s.low - significant), rounded = times(s.unit, ten(more));
    if (more && whole([s.value[0] * rounded[1], s.value[1] * rounded[0]]) && within(s.value, v.value, times(rounded, HALF))) return "over_precise";
    const apart = size(minus(s.value, v.value)), opposite = s.value[0] * v.value[0] < 0n;
    if (!closed && !opposite && !less(big, size(s.value)) && less(times(apart, ABOVE), unit)) return enough ? "truncated" : "low_precision";
    const ends = v.short && !closed && whole([v.value[0] * unit[1], v.value[1] * unit[0]]);
    if (!closed && enough && !ends && !less(big, times(unit, [4n, 1n])) && !less(times(unit, [10n ** 12n + 1n, 10n ** 12n]), apart)) return "last_digit";
    const slipped = (factor) => within(times(s.value, factor), v.value, closed ? reach(unit) : times(times(times(unit, HALF), size(factor)), ABOVE));
    if (zero || v.value[0] === 0n) return "error";
    if (slipped([-1n, 1n])) return "sign";
    return [1, 2, 3, 4, 5, 6].some((k) => slipped(ten(k)) || slipped(ten(-k))) ? "power_of_ten" : "error";
  };
})();
