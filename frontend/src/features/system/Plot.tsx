import { useTranslation } from 'react-i18next';
import { formatSeconds } from '../../lib/format';
import { linePath, niceMost, type Sample } from './plot';
import classes from './System.module.css';

interface Line {
  name: string;
  colour: string;
  samples: readonly Sample[];
}

interface Props {
  lines: readonly Line[];
  /** Drawn as a dashed line, and always within the height of the plot. */
  ceiling: number | null;
  format: (value: number) => string;
  gapS: number;
}

const WIDTH = 600;
const HEIGHT = 150;

/** Values over time. A screen reader reads the last and the largest value of each line. */
export function Plot({ lines, ceiling, format, gapS }: Props) {
  const { t } = useTranslation();
  const times = lines.flatMap((line) => line.samples.map((sample) => sample.timeS));
  if (times.length < 2) return <p className={classes.empty}>{t('system.collecting')}</p>;
  const [fromS, toS] = [Math.min(...times), Math.max(...times)];
  const values = lines.flatMap((line) =>
    line.samples.flatMap(({ value }) => (value === null ? [] : [value])),
  );
  const most = niceMost(Math.max(...values, ceiling ?? 0));
  const frame = { width: WIDTH, height: HEIGHT, fromS, toS, most };
  const reported = lines.map((line) => {
    const known = line.samples.flatMap(({ value }) => (value === null ? [] : [value]));
    const now = known.at(-1);
    return {
      ...line,
      now: now === undefined ? '–' : format(now),
      words: t('system.plot', {
        name: line.name,
        time: formatSeconds(toS - fromS, t),
        now: now === undefined ? '–' : format(now),
        most: known.length > 0 ? format(Math.max(...known)) : '–',
      }),
    };
  });
  return (
    <div>
      <svg
        className={classes.plot}
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={reported.map(({ words }) => words).join('; ')}
      >
        {[0, 0.5, 1].map((share) => (
          <line
            key={share}
            x1={0}
            x2={WIDTH}
            y1={HEIGHT * share}
            y2={HEIGHT * share}
            stroke="var(--pm-line)"
          />
        ))}
        {ceiling !== null && (
          <line
            x1={0}
            x2={WIDTH}
            y1={HEIGHT * (1 - ceiling / most)}
            y2={HEIGHT * (1 - ceiling / most)}
            stroke="#d9822b"
            strokeDasharray="5 5"
            vectorEffect="non-scaling-stroke"
          />
        )}
        {lines.map((line) => (
          <path
            key={line.name}
            d={linePath(line.samples, frame, gapS)}
            fill="none"
            stroke={line.colour}
            strokeWidth={2}
            strokeLinejoin="round"
            vectorEffect="non-scaling-stroke"
          />
        ))}
      </svg>
      <ul className={classes.legend} aria-hidden>
        {reported.map(({ name, colour, now }) => (
          <li key={name}>
            <span className={classes.swatch} style={{ background: colour }} />
            {name} <strong>{now}</strong>
          </li>
        ))}
        {ceiling !== null && (
          <li>
            <span className={classes.swatch} style={{ background: '#d9822b' }} />
            {t('system.ceiling')} <strong>{format(ceiling)}</strong>
          </li>
        )}
      </ul>
    </div>
  );
}
