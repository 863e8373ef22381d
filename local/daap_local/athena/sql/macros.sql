-- Trino's functions in DuckDB's SQL. One statement each; a blank line between them.
-- What fails does so by a cast that cannot succeed: unlike error() it may stand inside TRY, and its text tells the code.
-- Sources: https://trino.io/docs/current/functions/ and Trino's own behaviour.

CREATE OR REPLACE MACRO athena_fail(message) AS CAST('athena!' || message AS BIGINT);

CREATE OR REPLACE MACRO athena_guard(bad, message, value) AS
    CASE WHEN (CASE WHEN bad THEN athena_fail(message) END) IS NULL THEN value END;

CREATE OR REPLACE MACRO athena_checked(given, made, code, message) AS
    athena_guard(made IS NULL AND given IS NOT NULL, code || ': ' || message, made);

-- Arithmetic

CREATE OR REPLACE MACRO athena_divide(a, b) AS athena_guard(b = 0 AND a IS NOT NULL, 'DIVISION_BY_ZERO: Division by zero', a // b);

CREATE OR REPLACE MACRO athena_modulus(a, b) AS athena_guard(b = 0 AND a IS NOT NULL, 'DIVISION_BY_ZERO: Division by zero', a % b);

CREATE OR REPLACE MACRO athena_fmod(a, b) AS
    CASE WHEN b = 0 OR isinf(a) THEN a * CAST('NaN' AS FLOAT) WHEN isinf(b) THEN a ELSE a % b END;

CREATE OR REPLACE MACRO athena_half_up(n, d) AS
    CASE WHEN (n < 0) <> (d < 0) THEN -((abs(n) * 2 + abs(d)) // (abs(d) * 2)) ELSE (abs(n) * 2 + abs(d)) // (abs(d) * 2) END;

CREATE OR REPLACE MACRO athena_decimal_divide(a, b, shift) AS
    athena_guard(b = 0 AND a IS NOT NULL, 'DIVISION_BY_ZERO: Division by zero', athena_half_up(a * CAST(shift AS HUGEINT), b));

CREATE OR REPLACE MACRO athena_exact_average(total, number, scale) AS
    CASE WHEN number > 0 THEN athena_exact('/', total, CAST(number AS VARCHAR), scale) END;

CREATE OR REPLACE MACRO athena_round(x) AS
    CASE WHEN isfinite(x) AND abs(x) < 4503599627370496 THEN
        CASE WHEN x >= 0 THEN floor(x) + CAST(x - floor(x) >= 0.5 AS INTEGER) ELSE -(floor(-x) + CAST(-x - floor(-x) >= 0.5 AS INTEGER)) END
    ELSE x END;

CREATE OR REPLACE MACRO athena_round_to(x, places) AS
    CASE WHEN isfinite(x) THEN athena_round(x * power(10, places)) / power(10, places) ELSE x END;

CREATE OR REPLACE MACRO athena_width_bins(x, bins) AS
    athena_guard(list_sort(bins) <> bins, 'INVALID_FUNCTION_ARGUMENT: Bin values are not sorted in ascending order',
        CAST(len(list_filter(bins, lambda y: y <= x)) + 0 * x AS BIGINT));

CREATE OR REPLACE MACRO athena_round_whole(x, places) AS
    CASE WHEN places >= 0 THEN x ELSE athena_half_up(CAST(x AS HUGEINT), CAST(power(10, -places) AS HUGEINT)) * CAST(power(10, -places) AS HUGEINT) END;

CREATE OR REPLACE MACRO athena_sign(x) AS CASE WHEN isnan(x) THEN x ELSE CAST(sign(x) AS DOUBLE) END;

CREATE OR REPLACE MACRO athena_cbrt(x) AS
    CASE WHEN round(cbrt(x)) * round(cbrt(x)) * round(cbrt(x)) = x THEN round(cbrt(x)) ELSE cbrt(x) END;

CREATE OR REPLACE MACRO athena_sqrt(x) AS CASE WHEN x < 0 THEN CAST('NaN' AS DOUBLE) ELSE sqrt(x) END;

CREATE OR REPLACE MACRO athena_ln(x) AS
    CASE WHEN x = 0 THEN CAST('-Infinity' AS DOUBLE) WHEN x < 0 THEN CAST('NaN' AS DOUBLE) ELSE ln(x) END;

CREATE OR REPLACE MACRO athena_log10(x) AS
    CASE WHEN x = 0 THEN CAST('-Infinity' AS DOUBLE) WHEN x < 0 THEN CAST('NaN' AS DOUBLE) ELSE log10(x) END;

CREATE OR REPLACE MACRO athena_log(b, x) AS athena_ln(x) / athena_ln(b);

CREATE OR REPLACE MACRO athena_asin(x) AS CASE WHEN abs(x) <= 1 THEN asin(x) WHEN x IS NOT NULL THEN CAST('NaN' AS DOUBLE) END;

CREATE OR REPLACE MACRO athena_acos(x) AS CASE WHEN abs(x) <= 1 THEN acos(x) WHEN x IS NOT NULL THEN CAST('NaN' AS DOUBLE) END;

CREATE OR REPLACE MACRO athena_width_bucket(x, low, high, n) AS
    athena_guard(n <= 0, 'INVALID_FUNCTION_ARGUMENT: bucketCount must be greater than 0',
    athena_guard(low = high, 'INVALID_FUNCTION_ARGUMENT: bounds cannot equal each other',
    CASE WHEN low < high THEN
        CASE WHEN x < low THEN 0 WHEN x >= high THEN n + 1 ELSE CAST(floor(n * (x - low) / (high - low)) AS BIGINT) + 1 END
    ELSE
        CASE WHEN x > low THEN 0 WHEN x <= high THEN n + 1 ELSE CAST(floor(n * (low - x) / (low - high)) AS BIGINT) + 1 END
    END));

-- Texts of numbers, as Java writes them

CREATE OR REPLACE MACRO athena_scientific(digits, exponent) AS
    digits[1] || '.' || coalesce(nullif(rtrim(substr(digits, 2), '0'), ''), '0') || 'E' || exponent;

CREATE OR REPLACE MACRO athena_java_digits(s) AS
    CASE WHEN contains(s, 'e') THEN
        split_part(s, 'e', 1) || CASE WHEN contains(s, '.') THEN '' ELSE '.0' END || 'E' || CAST(CAST(split_part(s, 'e', 2) AS INTEGER) AS VARCHAR)
    WHEN starts_with(s, '0.') THEN
        athena_scientific(ltrim(substr(s, 3), '0'), CAST(length(ltrim(substr(s, 3), '0')) - length(substr(s, 3)) - 1 AS VARCHAR))
    ELSE
        athena_scientific(replace(s, '.', ''), CAST(length(split_part(s, '.', 1)) - 1 AS VARCHAR))
    END;

CREATE OR REPLACE MACRO athena_short_mantissa(s) AS
    rtrim(rtrim(split_part(s, 'e', 1), '0'), '.') || 'e' || split_part(s, 'e', 2);

CREATE OR REPLACE MACRO athena_double_text(x) AS
    CASE WHEN (abs(x) >= 0.001 AND abs(x) < 10000000) OR x = 0 THEN CAST(x AS VARCHAR)
    WHEN isnan(x) THEN 'NaN'
    WHEN isinf(x) THEN CASE WHEN x > 0 THEN 'Infinity' ELSE '-Infinity' END
    WHEN CAST(abs(x) AS VARCHAR) = '5e-324' THEN CASE WHEN x < 0 THEN '-' ELSE '' END || '4.9E-324'
    ELSE CASE WHEN x < 0 THEN '-' ELSE '' END || athena_java_digits(CAST(abs(x) AS VARCHAR)) END;

CREATE OR REPLACE MACRO athena_real_text(x) AS
    CASE WHEN CAST(abs(x) AS VARCHAR) = '1e-45' THEN CASE WHEN x < 0 THEN '-' ELSE '' END || '1.4E-45' ELSE athena_double_text(x) END;

CREATE OR REPLACE MACRO athena_double_varchar(x) AS
    CASE WHEN isnan(x) THEN 'NaN'
    WHEN isinf(x) THEN CASE WHEN x > 0 THEN 'Infinity' ELSE '-Infinity' END
    WHEN x = 0 THEN CASE WHEN CAST(x AS VARCHAR)[1] = '-' THEN '-0E0' ELSE '0E0' END
    WHEN abs(x) < 1e-323::DOUBLE THEN athena_double_text(x)
    ELSE CASE WHEN x < 0 THEN '-' ELSE '' END || athena_java_scientific(CAST(abs(x) AS VARCHAR)) END;

CREATE OR REPLACE MACRO athena_java_scientific(s) AS
    CASE WHEN starts_with(s, '0.') OR contains(s, 'e') THEN athena_java_digits(s)
    ELSE athena_scientific(replace(s, '.', ''), CAST(length(split_part(s, '.', 1)) - 1 AS VARCHAR)) END;

CREATE OR REPLACE MACRO athena_real_varchar(x) AS
    CASE WHEN x = 0 OR NOT isfinite(x) THEN athena_double_varchar(x) WHEN abs(x) < 1e-44::FLOAT THEN athena_real_text(x)
    ELSE CASE WHEN x < 0 THEN '-' ELSE '' END
        || athena_java_digits(athena_short_mantissa(format('{:.6e}', abs(CAST(CAST(x AS VARCHAR) AS DOUBLE))))) END;

CREATE OR REPLACE MACRO athena_bytes_text(x) AS rtrim(regexp_replace(lower(hex(x)), '(..)', '\1 ', 'g'));

-- Casts of numbers

CREATE OR REPLACE MACRO athena_narrowed(x) AS
    CASE WHEN abs(x) > 3.4028235677973365e38::DOUBLE AND isfinite(x) THEN CAST(CASE WHEN x > 0 THEN 'Infinity' ELSE '-Infinity' END AS FLOAT)
    ELSE CAST(x AS FLOAT) END;

CREATE OR REPLACE MACRO athena_real_bigint(x) AS
    athena_guard(isnan(x), 'INVALID_CAST_ARGUMENT: Cannot cast real NaN to bigint',
    CASE WHEN x >= 9223372036854775808::DOUBLE THEN 9223372036854775807 WHEN x < -9223372036854775808::DOUBLE THEN CAST('-9223372036854775808' AS BIGINT)
    ELSE CAST(athena_round(CAST(x AS DOUBLE)) AS BIGINT) END);

-- Casts of text

CREATE OR REPLACE MACRO athena_text_boolean(x) AS
    athena_checked(x, CASE lower(x) WHEN 'true' THEN true WHEN 't' THEN true WHEN '1' THEN true
        WHEN 'false' THEN false WHEN 'f' THEN false WHEN '0' THEN false END,
        'INVALID_CAST_ARGUMENT', 'Cannot cast ''' || x || ''' to BOOLEAN');

CREATE OR REPLACE MACRO athena_text_uuid(x) AS
    athena_checked(x, CASE WHEN regexp_full_match(x, '[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}') THEN TRY_CAST(x AS UUID) END,
        'INVALID_CAST_ARGUMENT', 'Cannot cast value to UUID: ' || x);

CREATE OR REPLACE MACRO athena_text_date(x) AS
    CASE WHEN length(x) = 10 AND CAST(TRY_CAST(x AS DATE) AS VARCHAR) = x THEN TRY_CAST(x AS DATE) ELSE athena_read_date(x) END;

CREATE OR REPLACE MACRO athena_text_timestamp(x) AS
    CASE WHEN regexp_full_match(x, '[0-9]{4}-[0-9]{2}-[0-9]{2} ([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?')
        AND TRY_CAST(x AS TIMESTAMP) IS NOT NULL THEN TRY_CAST(x AS TIMESTAMP)
    ELSE athena_read_timestamp(x) END;

CREATE OR REPLACE MACRO athena_bare_time(x) AS
    CASE WHEN regexp_full_match(x, '([01]?[0-9]|2[0-3]):[0-5]?[0-9](:[0-5]?[0-9](\.[0-9]{1,6})?)? *')
        THEN TRY_CAST(CASE WHEN length(x) - length(replace(x, ':', '')) = 1 THEN rtrim(x) || ':00' ELSE rtrim(x) END AS TIME) END;

CREATE OR REPLACE MACRO athena_text_time(x) AS
    athena_checked(x, athena_bare_time(x), 'INVALID_CAST_ARGUMENT', 'Value cannot be cast to time: ' || x);

CREATE OR REPLACE MACRO athena_fitting(x, size, message) AS
    athena_guard(length(x) > size, 'INVALID_CAST_ARGUMENT: ' || message, x);

-- Dates and times

CREATE OR REPLACE MACRO athena_date_text(x) AS
    CASE WHEN x >= DATE '0001-01-01' AND x <= DATE '9999-12-31' THEN CAST(x AS VARCHAR)
    WHEN x > DATE '9999-12-31' THEN '+' || CAST(x AS VARCHAR)
    WHEN year(x) = 0 THEN '0000' || strftime(x, '-%m-%d')
    ELSE '-' || lpad(CAST(-year(x) AS VARCHAR), 4, '0') || strftime(x, '-%m-%d') END;

CREATE OR REPLACE MACRO athena_date_varchar(x) AS ltrim(athena_date_text(x), '+');

CREATE OR REPLACE MACRO athena_time_of(x) AS
    athena_guard(epoch_us(x) < 0 AND epoch_us(x) % 1000000 <> 0,
        'NOT_SUPPORTED: The time of a timestamp before 1970 with a fraction is not supported here', CAST(x AS TIME));

CREATE OR REPLACE MACRO athena_floored(us, unit) AS us - ((us % unit) + unit) % unit;

CREATE OR REPLACE MACRO athena_rounded_us(us, unit) AS
    list_transform([us + CAST(unit // 2 AS BIGINT)], lambda w: athena_floored(w, CAST(unit AS BIGINT)))[1];

CREATE OR REPLACE MACRO athena_round_timestamp(x, unit) AS make_timestamp(athena_rounded_us(epoch_us(x), unit));

CREATE OR REPLACE MACRO athena_time_us(x) AS
    list_transform([x], lambda w: hour(w) * 3600000000 + minute(w) * 60000000 + microsecond(w))[1];

CREATE OR REPLACE MACRO athena_round_time(x, unit) AS CAST(make_timestamp(athena_rounded_us(athena_time_us(x), unit)) AS TIME);

CREATE OR REPLACE MACRO athena_trunc_time(x, unit) AS
    CAST(make_timestamp(list_transform([athena_time_us(x)], lambda w: athena_floored(w, CAST(unit AS BIGINT)))[1]) AS TIME);

CREATE OR REPLACE MACRO athena_fraction(us, p) AS
    CASE WHEN p = 0 THEN '' ELSE '.' || left(lpad(CAST(us % 1000000 AS VARCHAR), 6, '0'), p) END;

CREATE OR REPLACE MACRO athena_timestamp_text(x, p) AS
    CASE WHEN p = 0 THEN strftime(x, '%Y-%m-%d %H:%M:%S') ELSE left(strftime(x, '%Y-%m-%d %H:%M:%S.%f'), CAST(p AS INTEGER) - 6 + length(strftime(x, '%Y-%m-%d %H:%M:%S.%f'))) END;

CREATE OR REPLACE MACRO athena_time_text(x, p) AS
    left(CAST(x AS VARCHAR), 8) || athena_fraction(CAST(athena_time_us(x) AS BIGINT), p);

CREATE OR REPLACE MACRO athena_date_plus_millis(x, n) AS
    athena_guard(n % 86400000 <> 0, 'INVALID_FUNCTION_ARGUMENT: Cannot add hour, minutes or seconds to a date',
        x + CAST(n // 86400000 AS INTEGER));

CREATE OR REPLACE MACRO athena_date_plus_months(x, n) AS CAST(x + to_months(n) AS DATE);

CREATE OR REPLACE MACRO athena_timestamp_plus_millis(x, n) AS x + to_microseconds(CAST(n AS BIGINT) * 1000);

CREATE OR REPLACE MACRO athena_timestamp_plus_months(x, n) AS x + to_months(n);

CREATE OR REPLACE MACRO athena_time_plus_millis(x, n) AS x + to_microseconds(CAST(n AS BIGINT) * 1000);

CREATE OR REPLACE MACRO athena_elapsed(a, b, unit) AS (epoch_us(b) - epoch_us(a)) // (CAST(unit AS BIGINT) * 1000);

CREATE OR REPLACE MACRO athena_months_between(a, b, n) AS datesub('month', a, b) // n;

CREATE OR REPLACE MACRO athena_iso_timestamp(x, p) AS replace(athena_timestamp_text(x, p), ' ', 'T');

CREATE OR REPLACE MACRO athena_day_interval_text(x) AS
    CASE WHEN x < 0 THEN '-' ELSE '' END || CAST(abs(x) // 86400000 AS VARCHAR) || ' '
    || lpad(CAST(abs(x) // 3600000 % 24 AS VARCHAR), 2, '0') || ':' || lpad(CAST(abs(x) // 60000 % 60 AS VARCHAR), 2, '0') || ':'
    || lpad(CAST(abs(x) // 1000 % 60 AS VARCHAR), 2, '0') || '.' || lpad(CAST(abs(x) % 1000 AS VARCHAR), 3, '0');

CREATE OR REPLACE MACRO athena_month_interval_text(x) AS
    CASE WHEN x < 0 THEN '-' ELSE '' END || CAST(abs(x) // 12 AS VARCHAR) || '-' || CAST(abs(x) % 12 AS VARCHAR);

CREATE OR REPLACE MACRO athena_limited(a) AS
    athena_guard(len(a) > 10000, 'INVALID_FUNCTION_ARGUMENT: result of sequence function must not have more than 10000 entries', a);

CREATE OR REPLACE MACRO athena_moments(a, b, step) AS
    athena_guard((a < b AND a + step <= a) OR (a > b AND a + step >= a) OR a + step = a,
        'INVALID_FUNCTION_ARGUMENT: sequence stop value should be greater than or equal to start value if step is greater than zero otherwise stop should be less than or equal to start',
        athena_limited(generate_series(CAST(a AS TIMESTAMP), CAST(b AS TIMESTAMP), step)));

CREATE OR REPLACE MACRO athena_month_moments(a, b, step) AS
    athena_guard(step = 0 OR (a < b AND step < 0) OR (a > b AND step > 0),
        'INVALID_FUNCTION_ARGUMENT: sequence stop value should be greater than or equal to start value if step is greater than zero otherwise stop should be less than or equal to start',
        athena_limited(list_transform(range(0, datesub('month', a, b) // step + 1), lambda i: a + to_months(CAST(i * step AS INTEGER)))));

-- Timestamps with time zone: the instant and its zone. What is named twice in a macro is computed once, as a list's element.

CREATE OR REPLACE MACRO athena_zoned(x, zone) AS
    list_transform([struct_pack(u := x, z := zone)], lambda w: CASE WHEN (w).u IS NOT NULL AND (w).z IS NOT NULL THEN w END)[1];

CREATE OR REPLACE MACRO athena_zone_minutes(z) AS
    CASE WHEN z[1] = '-' THEN -1 ELSE 1 END * (CAST(z[2:3] AS INTEGER) * 60 + CAST(z[5:6] AS INTEGER));

CREATE OR REPLACE MACRO athena_local(v) AS
    list_transform([v], lambda w: CASE WHEN (w).z = 'UTC' THEN (w).u
        WHEN (w).z[1] = '+' OR (w).z[1] = '-' THEN (w).u + to_minutes(athena_zone_minutes((w).z))
        ELSE timezone((w).z, timezone('UTC', (w).u)) END)[1];

CREATE OR REPLACE MACRO athena_placed(v) AS
    list_transform([v], lambda w: CASE WHEN (w).u IS NULL OR (w).z IS NULL THEN NULL ELSE struct_pack(
        u := CASE WHEN (w).z = 'UTC' THEN (w).u
            WHEN (w).z[1] = '+' OR (w).z[1] = '-' THEN (w).u - to_minutes(athena_zone_minutes((w).z))
            ELSE timezone('UTC', timezone((w).z, (w).u)) END,
        z := (w).z) END)[1];

CREATE OR REPLACE MACRO athena_from_local(x, zone) AS athena_placed(struct_pack(u := x, z := athena_zone(zone)));

CREATE OR REPLACE MACRO athena_at_zone(v, zone) AS athena_zoned(struct_extract(v, 'u'), athena_zone(zone));

CREATE OR REPLACE MACRO athena_round_zoned(v, unit) AS
    list_transform([v], lambda w: athena_zoned(athena_round_timestamp((w).u, unit), (w).z))[1];

CREATE OR REPLACE MACRO athena_read_zoned(s) AS
    list_transform([s], lambda w: CASE WHEN w IS NOT NULL THEN
        struct_pack(u := make_timestamp(CAST(split_part(w, '|', 1) AS BIGINT)), z := split_part(w, '|', 2)) END)[1];

CREATE OR REPLACE MACRO athena_text_zoned(x) AS athena_read_zoned(athena_zoned_of(x));

CREATE OR REPLACE MACRO athena_zone_offset(v) AS
    list_transform([v], lambda w: (epoch_us(athena_local(w)) - epoch_us((w).u)) // 60000000)[1];

CREATE OR REPLACE MACRO athena_timezone_hour(v) AS athena_zone_offset(v) // 60;

CREATE OR REPLACE MACRO athena_timezone_minute(v) AS athena_zone_offset(v) % 60;

CREATE OR REPLACE MACRO athena_zoned_text(v, p) AS
    list_transform([v], lambda w: athena_timestamp_text(athena_local(w), p) || ' ' || (w).z)[1];

CREATE OR REPLACE MACRO athena_offset_text(n) AS
    list_transform([n], lambda w: CASE WHEN w < 0 THEN '-' ELSE '+' END || lpad(CAST(abs(w) // 60 AS VARCHAR), 2, '0')
        || ':' || lpad(CAST(abs(w) % 60 AS VARCHAR), 2, '0'))[1];

CREATE OR REPLACE MACRO athena_iso_zoned(v, p) AS
    list_transform([v], lambda w: athena_iso_timestamp(athena_local(w), p)
        || CASE WHEN athena_zone_offset(w) = 0 THEN 'Z' ELSE athena_offset_text(athena_zone_offset(w)) END)[1];

CREATE OR REPLACE MACRO athena_offset_zone(hours, minutes) AS athena_offset_text(hours * 60 + minutes);

CREATE OR REPLACE MACRO athena_zoned_plus_millis(v, n) AS
    list_transform([struct_pack(v := v, n := CAST(n AS BIGINT))], lambda w: athena_zoned((w).v.u + to_microseconds((w).n * 1000), (w).v.z))[1];

CREATE OR REPLACE MACRO athena_zoned_plus_months(v, n) AS
    list_transform([struct_pack(v := v, n := CAST(n AS INTEGER))], lambda w:
        athena_placed(struct_pack(u := athena_local((w).v) + to_months((w).n), z := (w).v.z)))[1];

CREATE OR REPLACE MACRO athena_zoned_plus_days(v, n) AS
    list_transform([struct_pack(v := v, n := CAST(n AS INTEGER))], lambda w:
        athena_placed(struct_pack(u := athena_local((w).v) + to_days((w).n), z := (w).v.z)))[1];

CREATE OR REPLACE MACRO athena_from_unixtime(x, zone) AS
    athena_zoned(make_timestamp(list_transform([x * 1000], lambda w: CAST(athena_round(w) AS BIGINT))[1] * 1000), athena_zone(zone));

CREATE OR REPLACE MACRO athena_iso_timestamp_of(x) AS athena_read_zoned(athena_read_iso_timestamp(x));

-- Times with time zone: the time in UTC, and the offset in minutes.

CREATE OR REPLACE MACRO athena_clock(local, minutes) AS
    list_transform([struct_pack(u := local, z := CAST(minutes AS INTEGER))],
        lambda w: CASE WHEN (w).u IS NOT NULL AND (w).z IS NOT NULL THEN struct_pack(u := (w).u - to_minutes((w).z), z := (w).z) END)[1];

CREATE OR REPLACE MACRO athena_clock_local(v) AS list_transform([v], lambda w: (w).u + to_minutes((w).z))[1];

CREATE OR REPLACE MACRO athena_round_clock(v, unit) AS
    list_transform([v], lambda w: athena_clock(athena_round_time(athena_clock_local(w), unit), (w).z))[1];

CREATE OR REPLACE MACRO athena_text_clock(x) AS
    list_transform([struct_pack(t := x, z := regexp_extract(x, '[+-][0-9]{2}:[0-5][0-9]$'))], lambda w:
        athena_checked((w).t, CASE
            WHEN (w).z = '' THEN athena_clock(athena_bare_time((w).t), 0)
            WHEN abs(athena_zone_minutes((w).z)) <= 840
                THEN athena_clock(athena_bare_time(left((w).t, length((w).t) - 6)), athena_zone_minutes((w).z)) END,
        'INVALID_CAST_ARGUMENT', 'Value cannot be cast to time with time zone: ' || (w).t))[1];

CREATE OR REPLACE MACRO athena_clock_text(v, p) AS
    list_transform([v], lambda w: athena_time_text(athena_clock_local(w), p) || athena_offset_text((w).z))[1];

CREATE OR REPLACE MACRO athena_clock_plus_millis(v, n) AS
    list_transform([struct_pack(v := v, n := CAST(n AS BIGINT))], lambda w: CASE WHEN (w).v IS NOT NULL AND (w).n IS NOT NULL
        THEN struct_pack(u := (w).v.u + to_microseconds((w).n * 1000), z := (w).v.z) END)[1];

-- Texts

CREATE OR REPLACE MACRO athena_substr(x, n) AS
    CASE WHEN n > 0 THEN substr(x, n) WHEN n < 0 AND -n <= length(x) THEN substr(x, length(x) + n + 1) WHEN n IS NOT NULL AND x IS NOT NULL THEN '' END;

CREATE OR REPLACE MACRO athena_substr3(x, n, size) AS
    CASE WHEN size IS NULL OR n IS NULL OR x IS NULL THEN NULL WHEN size <= 0 THEN '' WHEN n > 0 THEN substr(x, n, size)
    WHEN n < 0 AND -n <= length(x) THEN substr(x, length(x) + n + 1, size) ELSE '' END;

CREATE OR REPLACE MACRO athena_upper(x) AS
    CASE WHEN contains(x, 'ß') THEN translate(upper(translate(x, 'ß', chr(57344))), chr(57344), 'ß') ELSE upper(x) END;

CREATE OR REPLACE MACRO athena_strpos(x, y) AS CAST(CASE WHEN y = '' THEN 1 ELSE strpos(x, y) END + 0 * length(x) AS BIGINT);

CREATE OR REPLACE MACRO athena_interleaved(x, z) AS
    CASE WHEN x = '' THEN z ELSE z || array_to_string(list_transform(string_split(x, ''), lambda c: c || z), '') END;

CREATE OR REPLACE MACRO athena_replace(x, y, z) AS CASE WHEN y = '' THEN athena_interleaved(x, z) ELSE replace(x, y, z) END;

CREATE OR REPLACE MACRO athena_pad_ok(n, y, value) AS
    athena_guard(n < 0 OR n > 2147483647, 'INVALID_FUNCTION_ARGUMENT: Target length must be in the range [0..2147483647]',
    athena_guard(y = '', 'INVALID_FUNCTION_ARGUMENT: Padding string must not be empty', value));

CREATE OR REPLACE MACRO athena_lpad(x, n, y) AS athena_pad_ok(n, y, lpad(x, CAST(n AS INTEGER), CASE WHEN y = '' THEN ' ' ELSE y END));

CREATE OR REPLACE MACRO athena_rpad(x, n, y) AS athena_pad_ok(n, y, rpad(x, CAST(n AS INTEGER), CASE WHEN y = '' THEN ' ' ELSE y END));

CREATE OR REPLACE MACRO athena_split(x, y) AS
    athena_guard(y = '', 'INVALID_FUNCTION_ARGUMENT: The delimiter may not be the empty string', string_split(x, y));

CREATE OR REPLACE MACRO athena_split_limited(x, y, n) AS
    athena_guard(n <= 0, 'INVALID_FUNCTION_ARGUMENT: Limit must be positive',
    CASE WHEN len(athena_split(x, y)) <= n THEN athena_split(x, y)
    ELSE list_append((athena_split(x, y))[:n - 1], array_to_string((athena_split(x, y))[n:], y)) END);

CREATE OR REPLACE MACRO athena_split_part(x, y, n) AS
    athena_guard(n <= 0, 'INVALID_FUNCTION_ARGUMENT: Index must be greater than zero',
        CASE WHEN y = '' THEN CASE WHEN n <= length(x) THEN substr(x, n, 1) END ELSE string_split(x, y)[n] END);

CREATE OR REPLACE MACRO athena_chr(n) AS
    athena_guard(n < 0 OR n > 1114111, 'INVALID_FUNCTION_ARGUMENT: Not a valid Unicode code point: ' || n, chr(CAST(n AS INTEGER)));

CREATE OR REPLACE MACRO athena_codepoint(x) AS
    athena_guard(length(x) <> 1, 'INVALID_FUNCTION_ARGUMENT: Input string must be a single character string', unicode(x));

CREATE OR REPLACE MACRO athena_levenshtein(x, y) AS
    CASE WHEN strlen(x) = length(x) AND strlen(y) = length(y) THEN CAST(levenshtein(x, y) AS BIGINT) ELSE athena_edit_distance(x, y) END;

CREATE OR REPLACE MACRO athena_hamming(x, y) AS
    athena_guard(length(x) <> length(y), 'INVALID_FUNCTION_ARGUMENT: The input strings to hamming_distance function must have the same length',
        CAST(len(list_filter(list_zip(string_split(x, ''), string_split(y, '')), lambda p: struct_extract_at(p, 1) <> struct_extract_at(p, 2))) AS BIGINT));

CREATE OR REPLACE MACRO athena_concat_array(y, a) AS CASE WHEN y IS NOT NULL THEN array_to_string(a, y) END;

CREATE OR REPLACE MACRO athena_entry_key(p, z) AS
    athena_guard(strpos(p, z) = 0, 'INVALID_FUNCTION_ARGUMENT: Key-value delimiter must appear exactly once in each entry. Bad input: ''' || p || '''',
        left(p, strpos(p, z) - 1));

CREATE OR REPLACE MACRO athena_regexp_like(x, pattern) AS regexp_matches(x, pattern);

CREATE OR REPLACE MACRO athena_regexp_extract(x, pattern, n) AS
    CASE WHEN regexp_matches(x, pattern) THEN regexp_extract(x, pattern, n) END;

-- Arrays

CREATE OR REPLACE MACRO athena_subscript(a, n) AS
    athena_guard(n = 0, 'INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1',
    athena_guard(n < 0, 'INVALID_FUNCTION_ARGUMENT: Array subscript is negative: ' || n,
    athena_guard(n > len(a), 'INVALID_FUNCTION_ARGUMENT: Array subscript must be less than or equal to array length: ' || n || ' > ' || len(a), a[n])));

CREATE OR REPLACE MACRO athena_element_at(a, n) AS
    athena_guard(n = 0, 'INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1', a[n]);

CREATE OR REPLACE MACRO athena_concat(a, b) AS CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN list_concat(a, b) END;

CREATE OR REPLACE MACRO athena_append(a, v) AS CASE WHEN a IS NOT NULL THEN list_append(a, v) END;

CREATE OR REPLACE MACRO athena_prepend(v, a) AS CASE WHEN a IS NOT NULL THEN list_prepend(v, a) END;

CREATE OR REPLACE MACRO athena_has_null(a) AS len(a) <> len(list_filter(a, lambda x: x IS NOT NULL));

CREATE OR REPLACE MACRO athena_distinct(a) AS
    list_filter(a, lambda x, i: len(list_filter(a[:i - 1], lambda y: y IS NOT DISTINCT FROM x)) = 0);

CREATE OR REPLACE MACRO athena_list_min(a) AS CASE WHEN NOT athena_has_null(a) THEN list_min(a) END;

CREATE OR REPLACE MACRO athena_list_max(a) AS CASE WHEN NOT athena_has_null(a) THEN list_max(a) END;

CREATE OR REPLACE MACRO athena_list_position(a, v) AS
    CASE WHEN a IS NOT NULL AND v IS NOT NULL THEN CAST(coalesce(list_position(a, v), 0) AS BIGINT) END;

CREATE OR REPLACE MACRO athena_nth_list_position(a, v, n) AS
    athena_guard(n = 0, 'INVALID_FUNCTION_ARGUMENT: array_position cannot take a 0-valued instance argument.',
    CASE WHEN a IS NOT NULL AND v IS NOT NULL AND n IS NOT NULL THEN
        CAST(coalesce(list_filter(list_transform(a, lambda x, i: CASE WHEN x = v THEN i END), lambda i: i IS NOT NULL)[n], 0) AS BIGINT) END);

CREATE OR REPLACE MACRO athena_list_remove(a, v) AS CASE WHEN v IS NOT NULL THEN list_filter(a, lambda x: x IS DISTINCT FROM v) END;

CREATE OR REPLACE MACRO athena_holds(a, v) AS len(list_filter(a, lambda y: y IS NOT DISTINCT FROM v)) > 0;

CREATE OR REPLACE MACRO athena_list_union(a, b) AS athena_distinct(athena_concat(a, b));

CREATE OR REPLACE MACRO athena_list_intersect(a, b) AS
    CASE WHEN b IS NOT NULL THEN list_filter(athena_distinct(a), lambda x: athena_holds(b, x)) END;

CREATE OR REPLACE MACRO athena_list_except(a, b) AS
    CASE WHEN b IS NOT NULL THEN list_filter(athena_distinct(a), lambda x: NOT athena_holds(b, x)) END;

CREATE OR REPLACE MACRO athena_overlap(a, b) AS
    CASE WHEN a IS NULL OR b IS NULL THEN NULL
    WHEN len(list_filter(a, lambda x: x IS NOT NULL AND list_contains(b, x))) > 0 THEN true
    WHEN len(a) > 0 AND len(b) > 0 AND (athena_has_null(a) OR athena_has_null(b)) THEN NULL ELSE false END;

CREATE OR REPLACE MACRO athena_list_contains(a, v) AS
    CASE WHEN a IS NULL OR v IS NULL THEN NULL WHEN list_contains(a, v) THEN true WHEN athena_has_null(a) THEN NULL ELSE false END;

CREATE OR REPLACE MACRO athena_contains_sequence(a, b) AS
    CASE WHEN a IS NULL OR b IS NULL THEN NULL WHEN len(b) = 0 THEN true
    ELSE len(list_filter(a, lambda x, i: a[i:i + len(b) - 1] IS NOT DISTINCT FROM b)) > 0 END;

CREATE OR REPLACE MACRO athena_slice(a, n, size) AS
    athena_guard(n = 0, 'INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1',
    athena_guard(size < 0, 'INVALID_FUNCTION_ARGUMENT: length must be greater than or equal to 0',
    CASE WHEN n > len(a) OR -n > len(a) OR size = 0 THEN a[1:0]
    WHEN n > 0 THEN a[n:n + size - 1] ELSE a[len(a) + n + 1:len(a) + n + size] END));

CREATE OR REPLACE MACRO athena_trim_array(a, n) AS
    athena_guard(n < 0, 'INVALID_FUNCTION_ARGUMENT: size must not be negative: ' || n,
    athena_guard(n > len(a), 'INVALID_FUNCTION_ARGUMENT: size must not exceed array cardinality ' || len(a) || ': ' || n, a[1:len(a) - n]));

CREATE OR REPLACE MACRO athena_repeat(v, n) AS
    athena_guard(n > 10000, 'INVALID_FUNCTION_ARGUMENT: count argument of repeat function must be less than or equal to 10000',
    athena_guard(n < 0, 'INVALID_FUNCTION_ARGUMENT: count argument of repeat function must be greater than or equal to 0',
        list_transform(range(n), lambda i: v)));

CREATE OR REPLACE MACRO athena_sequence(a, b, step) AS
    athena_guard(step = 0 OR (a < b AND step < 0) OR (a > b AND step > 0),
        'INVALID_FUNCTION_ARGUMENT: sequence stop value should be greater than or equal to start value if step is greater than zero otherwise stop should be less than or equal to start',
        athena_limited(generate_series(a, CASE WHEN abs(b - a) // abs(step) > 10000 THEN a + 10001 * step ELSE b END, CAST(step AS BIGINT))));

CREATE OR REPLACE MACRO athena_sequence_stop(a, b) AS
    athena_guard(a IS NULL, 'INVALID_FUNCTION_ARGUMENT: Start is null',
    athena_guard(b IS NULL, 'INVALID_FUNCTION_ARGUMENT: Stop is null', b));

CREATE OR REPLACE MACRO athena_sequence_step(a, b, step) AS
    athena_guard(step IS NULL, 'INVALID_FUNCTION_ARGUMENT: Step is null',
    athena_guard(a < b AND step <= 0, 'INVALID_FUNCTION_ARGUMENT: Step must be positive for sequence [' || a || ', ' || b || ']',
    athena_guard(a > b AND step >= 0, 'INVALID_FUNCTION_ARGUMENT: Step must be negative for sequence [' || a || ', ' || b || ']',
        CASE WHEN a = b THEN CAST(1 AS BIGINT) ELSE step END)));

CREATE OR REPLACE MACRO athena_any_match(tests) AS
    CASE WHEN tests IS NULL THEN NULL WHEN list_contains(tests, true) THEN true WHEN athena_has_null(tests) THEN NULL ELSE false END;

CREATE OR REPLACE MACRO athena_all_match(tests) AS
    CASE WHEN tests IS NULL THEN NULL WHEN list_contains(tests, false) THEN false WHEN athena_has_null(tests) THEN NULL ELSE true END;

CREATE OR REPLACE MACRO athena_none_match(tests) AS NOT athena_any_match(tests);

CREATE OR REPLACE MACRO athena_array_equal(a, b, tests) AS
    CASE WHEN a IS NULL OR b IS NULL THEN NULL WHEN len(a) <> len(b) THEN false ELSE athena_all_match(tests) END;

CREATE OR REPLACE MACRO athena_map_equal(a, b) AS
    CASE WHEN a IS NULL OR b IS NULL THEN NULL WHEN cardinality(a) <> cardinality(b) THEN false
    ELSE athena_all_match(list_transform(map_keys(a), lambda k: CASE WHEN map_contains(b, k) THEN a[k] = b[k] ELSE false END)) END;

CREATE OR REPLACE MACRO athena_ordered(a, b, test) AS test;

-- Maps

CREATE OR REPLACE MACRO athena_map_value(m, k, shown) AS
    athena_guard(NOT map_contains(m, k), 'INVALID_FUNCTION_ARGUMENT: Key not present in map: ' || shown, m[k]);

CREATE OR REPLACE MACRO athena_map_element(m, k) AS m[k];

CREATE OR REPLACE MACRO athena_map(k, v) AS
    athena_guard(len(k) <> len(v), 'INVALID_FUNCTION_ARGUMENT: Key and value arrays must be the same length',
    athena_guard(athena_has_null(k), 'INVALID_FUNCTION_ARGUMENT: map key cannot be null',
    athena_guard(len(k) <> len(list_distinct(k)), 'INVALID_FUNCTION_ARGUMENT: Duplicate map keys are not allowed',
        CASE WHEN k IS NOT NULL AND v IS NOT NULL AND len(k) = len(v) AND len(k) = len(list_distinct(k)) THEN map(k, v) END)));

CREATE OR REPLACE MACRO athena_map_from_pairs(p) AS
    athena_map(list_transform(p, lambda x: (x).k), list_transform(p, lambda x: (x).v));

CREATE OR REPLACE MACRO athena_map_concat(a, b) AS
    CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN map_concat(a, b) END;

CREATE OR REPLACE MACRO athena_first_pairs(p) AS
    list_filter(p, lambda x, i: (x).k IS NOT NULL AND len(list_filter(p[:i - 1], lambda y: (y).k = (x).k)) = 0);

CREATE OR REPLACE MACRO athena_map_agg(p) AS
    map(list_transform(athena_first_pairs(p), lambda x: (x).k), list_transform(athena_first_pairs(p), lambda x: (x).v));

CREATE OR REPLACE MACRO athena_multimap_agg(p) AS
    map(list_transform(athena_first_pairs(p), lambda x: (x).k),
        list_transform(athena_first_pairs(p), lambda x: list_transform(list_filter(p, lambda y: (y).k = (x).k), lambda y: (y).v)));

CREATE OR REPLACE MACRO athena_split_to_multimap(x, y, z) AS
    athena_multimap_agg(list_transform(CASE WHEN x = '' THEN [] ELSE string_split(x, y) END,
        lambda p: struct_pack(k := athena_entry_key(p, z), v := substr(p, strpos(p, z) + length(z)))));

CREATE OR REPLACE MACRO athena_split_to_map(x, y, z) AS
    athena_map_from_pairs(list_transform(CASE WHEN x = '' THEN [] ELSE string_split(x, y) END,
        lambda p: struct_pack(k := athena_entry_key(p, z), v := substr(p, strpos(p, z) + length(z)))));

-- Aggregates over lists

CREATE OR REPLACE MACRO athena_percentile(a, share) AS
    athena_guard(share < 0 OR share > 1, 'INVALID_FUNCTION_ARGUMENT: Percentile must be between 0 and 1',
        list_sort(a)[greatest(1, CAST(ceil(share * len(a)) AS BIGINT))]);

CREATE OR REPLACE MACRO athena_percentiles(a, shares) AS list_transform(shares, lambda s: athena_percentile(a, s));

CREATE OR REPLACE MACRO athena_moment(a, n) AS
    list_sum(list_transform(a, lambda x: power(x - list_avg(a), n)));

CREATE OR REPLACE MACRO athena_skewness(a) AS
    CASE WHEN list_count(a) >= 3 THEN sqrt(CAST(list_count(a) AS DOUBLE)) * athena_moment(a, 3) / power(athena_moment(a, 2), 1.5) END;

CREATE OR REPLACE MACRO athena_kurtosis_of(n, m2, m4) AS
    n * (n + 1) / ((n - 1) * (n - 2) * (n - 3)) * m4 * (n - 1) * (n - 1) / (m2 * m2) - 3 * (n - 1) * (n - 1) / ((n - 2) * (n - 3));

CREATE OR REPLACE MACRO athena_kurtosis(a) AS
    CASE WHEN list_count(a) >= 4 THEN athena_kurtosis_of(CAST(list_count(a) AS DOUBLE), athena_moment(a, 2), athena_moment(a, 4)) END
