"""What SQL may say: every function, aggregate, combinator, type and unit there is, by name.

What is not here is refused, whatever it would do. Left out on purpose is all that reads something
other than its arguments (dictionaries, tables, files, settings, the machine, the server), waits,
fails on demand, or answers differently every time.
"""

from sqlglot import exp

_FUNCTIONS = """
if multiIf coalesce ifNull nullIf isNull isNotNull assumeNotNull toNullable isNaN isFinite
isInfinite ifNotFinite least greatest equals notEquals less greater lessOrEquals greaterOrEquals and
or not xor plus minus multiply divide intDiv intDivOrZero modulo moduloOrZero positiveModulo negate
abs sign round roundBankers floor ceil ceiling trunc truncate roundToExp2 roundDuration roundAge
roundDown exp exp2 exp10 log log2 log10 log1p ln sqrt cbrt pow power sin cos tan asin acos atan
atan2 sinh cosh tanh degrees radians hypot pi e gcd lcm factorial bitAnd bitOr bitXor bitNot
bitShiftLeft bitShiftRight bitTest bitCount widthBucket min2 max2

toInt8 toInt16 toInt32 toInt64 toInt128 toInt256 toUInt8 toUInt16 toUInt32 toUInt64 toUInt128
toUInt256 toFloat32 toFloat64 toDecimal32 toDecimal64 toDecimal128 toString toBool toDate toDate32
toDateTime toDateTime64 toUUID toFixedString toIPv4 toIPv6 toInt8OrNull toInt16OrNull toInt32OrNull
toInt64OrNull toUInt8OrNull toUInt16OrNull toUInt32OrNull toUInt64OrNull toFloat32OrNull
toFloat64OrNull toDateOrNull toDateTimeOrNull toDateTime64OrNull toDecimal32OrNull toDecimal64OrNull
toDecimal128OrNull toUUIDOrNull toIPv4OrNull toInt8OrZero toInt16OrZero toInt32OrZero toInt64OrZero
toUInt8OrZero toUInt16OrZero toUInt32OrZero toUInt64OrZero toFloat32OrZero toFloat64OrZero
toDateOrZero toDateTimeOrZero toInt64OrDefault toUInt64OrDefault toFloat64OrDefault
parseDateTimeBestEffort parseDateTimeBestEffortOrNull parseDateTime64BestEffort
parseDateTime64BestEffortOrNull parseDateTime parseDateTimeOrNull fromUnixTimestamp
fromUnixTimestamp64Milli toUnixTimestamp toUnixTimestamp64Milli toTypeName

now today yesterday toYear toQuarter toMonth toDayOfMonth toDayOfWeek toDayOfYear toHour toMinute
toSecond toMillisecond toISOYear toISOWeek toWeek toYearWeek toYYYYMM toYYYYMMDD toYYYYMMDDhhmmss
toRelativeYearNum toRelativeMonthNum toRelativeWeekNum toRelativeDayNum toRelativeHourNum
toRelativeMinuteNum toRelativeSecondNum toStartOfYear toStartOfISOYear toStartOfQuarter
toStartOfMonth toLastDayOfMonth toStartOfWeek toLastDayOfWeek toMonday toStartOfDay toStartOfHour
toStartOfMinute toStartOfSecond toStartOfFiveMinutes toStartOfTenMinutes toStartOfFifteenMinutes
toStartOfInterval toTimeZone timeSlot timeSlots date_trunc dateTrunc date_diff dateDiff age addYears
addQuarters addMonths addWeeks addDays addHours addMinutes addSeconds subtractYears subtractQuarters
subtractMonths subtractWeeks subtractDays subtractHours subtractMinutes subtractSeconds makeDate
makeDate32 makeDateTime formatDateTime monthName dateName year quarter month day hour minute second
date week yearweek dayOfWeek dayOfMonth dayOfYear last_day toIntervalSecond toIntervalMinute
toIntervalHour toIntervalDay toIntervalWeek toIntervalMonth toIntervalQuarter toIntervalYear

length lengthUTF8 char_length empty notEmpty lower upper lowerUTF8 upperUTF8 lcase ucase initcap
initcapUTF8 reverse reverseUTF8 concat concatWithSeparator concat_ws substring substr mid
substringUTF8 substringIndex left leftUTF8 right rightUTF8 leftPad rightPad leftPadUTF8 rightPadUTF8
trim trimLeft trimRight trimBoth ltrim rtrim startsWith endsWith startsWithUTF8 endsWithUTF8
position positionCaseInsensitive positionUTF8 positionCaseInsensitiveUTF8 locate countSubstrings
countSubstringsCaseInsensitive hasToken hasTokenCaseInsensitive hasSubsequence replace replaceOne
replaceAll replaceRegexpOne replaceRegexpAll translate like notLike ilike notILike match extractAll
extractAllGroupsVertical extractGroups countMatches splitByChar splitByString splitByWhitespace
splitByNonAlpha splitByRegexp arrayStringConcat ngrams tokens format ascii char hex unhex
base64Encode base64Decode tryBase64Decode isValidUTF8 toValidUTF8 soundex levenshteinDistance
editDistance jaroSimilarity jaroWinklerSimilarity ngramDistance normalizeUTF8NFC encodeURLComponent
decodeURLComponent domain domainWithoutWWW topLevelDomain firstSignificantSubdomain protocol path
pathFull queryString fragment extractURLParameter extractURLParameters extractURLParameterNames
cutURLParameter cutQueryString cutWWW

JSONExtract JSONExtractString JSONExtractInt JSONExtractUInt JSONExtractFloat JSONExtractBool
JSONExtractRaw JSONExtractArrayRaw JSONExtractKeys JSONExtractKeysAndValues
JSONExtractKeysAndValuesRaw JSONHas JSONLength JSONType isValidJSON JSON_VALUE JSON_QUERY
JSON_EXISTS simpleJSONExtractString simpleJSONExtractInt simpleJSONExtractFloat simpleJSONHas
toJSONString

array arrayJoin range emptyArrayString emptyArrayInt64 arrayElement arrayElementOrNull has hasAll
hasAny hasSubstr indexOf indexOfAssumeSorted countEqual arrayEnumerate arrayEnumerateUniq
arrayEnumerateDense arrayConcat arraySlice arrayPushBack arrayPushFront arrayPopBack arrayPopFront
arrayResize arraySort arrayReverseSort arrayPartialSort arrayReverse arrayDistinct arrayUniq
arrayCompact arrayFlatten arrayZip arrayDifference arrayCumSum arrayCumSumNonNegative arrayProduct
arraySum arrayAvg arrayMin arrayMax arrayIntersect arrayUnion arrayExcept arrayMap arrayFilter
arrayCount arrayExists arrayAll arrayFirst arrayFirstOrNull arrayFirstIndex arrayLast
arrayLastOrNull arrayLastIndex arrayFill arrayReverseFill arraySplit arrayReverseSplit
arrayRotateLeft arrayRotateRight arrayShiftLeft arrayShiftRight arrayShingles arrayJaccardIndex
arrayAUC arrayDotProduct tuple tupleElement tupleConcat map mapFromArrays mapContains mapKeys
mapValues mapAdd mapSubtract mapFilter mapApply mapSort mapUpdate

cityHash64 sipHash64 xxHash32 xxHash64 farmHash64 murmurHash3_64 murmurHash3_32 halfMD5 MD5 SHA1
SHA256 CRC32 transform formatReadableQuantity formatReadableSize formatReadableTimeDelta bar
toFloat64OrNull greatCircleDistance
"""

_WINDOW_FUNCTIONS = """
row_number rank dense_rank percent_rank cume_dist ntile lag lead lagInFrame leadInFrame nth_value
first_value last_value
"""

_AGGREGATES = """
count min max sum avg any anyLast anyHeavy any_value first_value last_value argMin argMax
avgWeighted sumWithOverflow sumKahan sumCount median stddevPop stddevSamp varPop varSamp stddev_pop
stddev_samp var_pop var_samp covarPop covarSamp corr rankCorr skewPop skewSamp kurtPop kurtSamp
entropy quantile quantiles quantileExact quantilesExact quantileExactLow quantileExactHigh
quantileTiming quantilesTiming quantileTDigest quantilesTDigest quantileDeterministic
quantileExactWeighted quantilesExactWeighted quantileInterpolatedWeighted quantilesExactExclusive
quantileExactInclusive uniq uniqExact uniqCombined uniqCombined64 uniqHLL12 uniqUpTo groupArray
groupArrayLast groupUniqArray groupArraySample groupArrayInsertAt groupArrayMovingAvg
groupArrayMovingSum groupConcat groupBitAnd groupBitOr groupBitXor groupBitmap topK topKWeighted
approx_top_sum deltaSum deltaSumTimestamp boundingRatio intervalLengthSum maxIntersections
maxIntersectionsPosition histogram sequenceMatch sequenceCount windowFunnel retention
simpleLinearRegression studentTTest welchTTest mannWhitneyUTest meanZTest kolmogorovSmirnovTest
cramersV cramersVBiasCorrected theilsU contingency exponentialMovingAverage
exponentialTimeDecayedAvg
"""

_COMBINATORS = (
    "If", "Array", "Map", "State", "Merge", "ForEach", "Distinct", "OrDefault", "OrNull", "ArgMin",
    "ArgMax",
)  # fmt: skip

# As CAST writes them.
TYPES = {
    exp.DType.TINYINT: "Int8",
    exp.DType.SMALLINT: "Int16",
    exp.DType.INT: "Int32",
    exp.DType.BIGINT: "Int64",
    exp.DType.INT128: "Int128",
    exp.DType.INT256: "Int256",
    exp.DType.UTINYINT: "UInt8",
    exp.DType.USMALLINT: "UInt16",
    exp.DType.UINT: "UInt32",
    exp.DType.UBIGINT: "UInt64",
    exp.DType.UINT128: "UInt128",
    exp.DType.UINT256: "UInt256",
    exp.DType.FLOAT: "Float32",
    exp.DType.DOUBLE: "Float64",
    exp.DType.BOOLEAN: "Bool",
    exp.DType.TEXT: "String",
    exp.DType.VARCHAR: "String",
    exp.DType.DATE: "Date",
    exp.DType.DATE32: "Date32",
    exp.DType.DATETIME: "DateTime",
    exp.DType.TIMESTAMP: "DateTime",
    exp.DType.DATETIME64: "DateTime64",
    exp.DType.DECIMAL: "Decimal",
    exp.DType.DECIMAL32: "Decimal32",
    exp.DType.DECIMAL64: "Decimal64",
    exp.DType.DECIMAL128: "Decimal128",
    exp.DType.UUID: "UUID",
    exp.DType.IPV4: "IPv4",
    exp.DType.IPV6: "IPv6",
    exp.DType.FIXEDSTRING: "FixedString",
}
COMPOUND_TYPES = {
    exp.DType.ARRAY: "Array",
    exp.DType.MAP: "Map",
    exp.DType.LOWCARDINALITY: "LowCardinality",
}

UNITS = ("SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR")

# Function names in any casing, as the engine spells them.
FUNCTIONS = {name.lower(): name for name in _FUNCTIONS.split()}
WINDOW_FUNCTIONS = {name.lower(): name for name in _WINDOW_FUNCTIONS.split()}
AGGREGATES = {name.lower(): name for name in _AGGREGATES.split()}


def function_named(name: str) -> str | None:
    """As the engine spells it; None where it is not allowed."""
    lower = name.lower()
    return FUNCTIONS.get(lower) or WINDOW_FUNCTIONS.get(lower) or aggregate_named(name)


def aggregate_named(name: str) -> str | None:
    """An aggregate, with any combinators behind its name; None where it is not allowed."""
    known = AGGREGATES.get(name.lower())
    if known is not None:
        return known
    for combinator in _COMBINATORS:
        stem = name.removesuffix(combinator)
        if stem and stem != name and (inner := aggregate_named(stem)):
            return inner + combinator
    return None
