#include "service/json_number.h"

#include <math.h>
#include <string.h>

/* Writing. Reals follow Grisu2 of Florian Loitsch, "Printing Floating-Point Numbers Quickly and
 * Accurately with Integers" (PLDI 2010): the number and the ends of the interval that reads back
 * as it are scaled by a power of ten kept with 64 bits, then digits are made until the interval
 * is met. */

const double number_tens[NUMBER_TENS] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
					 1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
					 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

enum { POWER_FIRST = -348, POWER_STEP = 8 };

/* 10^-348, 10^-340 ... 10^340: the first 64 bits, rounded. */
static const uint64_t powers[] = {
    0xfa8fd5a0081c0288, 0xbaaee17fa23ebf76, 0x8b16fb203055ac76, 0xcf42894a5dce35ea,
    0x9a6bb0aa55653b2d, 0xe61acf033d1a45df, 0xab70fe17c79ac6ca, 0xff77b1fcbebcdc4f,
    0xbe5691ef416bd60c, 0x8dd01fad907ffc3c, 0xd3515c2831559a83, 0x9d71ac8fada6c9b5,
    0xea9c227723ee8bcb, 0xaecc49914078536d, 0x823c12795db6ce57, 0xc21094364dfb5637,
    0x9096ea6f3848984f, 0xd77485cb25823ac7, 0xa086cfcd97bf97f4, 0xef340a98172aace5,
    0xb23867fb2a35b28e, 0x84c8d4dfd2c63f3b, 0xc5dd44271ad3cdba, 0x936b9fcebb25c996,
    0xdbac6c247d62a584, 0xa3ab66580d5fdaf6, 0xf3e2f893dec3f126, 0xb5b5ada8aaff80b8,
    0x87625f056c7c4a8b, 0xc9bcff6034c13053, 0x964e858c91ba2655, 0xdff9772470297ebd,
    0xa6dfbd9fb8e5b88f, 0xf8a95fcf88747d94, 0xb94470938fa89bcf, 0x8a08f0f8bf0f156b,
    0xcdb02555653131b6, 0x993fe2c6d07b7fac, 0xe45c10c42a2b3b06, 0xaa242499697392d3,
    0xfd87b5f28300ca0e, 0xbce5086492111aeb, 0x8cbccc096f5088cc, 0xd1b71758e219652c,
    0x9c40000000000000, 0xe8d4a51000000000, 0xad78ebc5ac620000, 0x813f3978f8940984,
    0xc097ce7bc90715b3, 0x8f7e32ce7bea5c70, 0xd5d238a4abe98068, 0x9f4f2726179a2245,
    0xed63a231d4c4fb27, 0xb0de65388cc8ada8, 0x83c7088e1aab65db, 0xc45d1df942711d9a,
    0x924d692ca61be758, 0xda01ee641a708dea, 0xa26da3999aef774a, 0xf209787bb47d6b85,
    0xb454e4a179dd1877, 0x865b86925b9bc5c2, 0xc83553c5c8965d3d, 0x952ab45cfa97a0b3,
    0xde469fbd99a05fe3, 0xa59bc234db398c25, 0xf6c69a72a3989f5c, 0xb7dcbf5354e9bece,
    0x88fcf317f22241e2, 0xcc20ce9bd35c78a5, 0x98165af37b2153df, 0xe2a0b5dc971f303a,
    0xa8d9d1535ce3b396, 0xfb9b7cd9a4a7443c, 0xbb764c4ca7a44410, 0x8bab8eefb6409c1a,
    0xd01fef10a657842c, 0x9b10a4e5e9913129, 0xe7109bfba19c0c9d, 0xac2820d9623bf429,
    0x80444b5e7aa7cf85, 0xbf21e44003acdd2d, 0x8e679c2f5e44ff8f, 0xd433179d9c8cb841,
    0x9e19db92b4e31ba9, 0xeb96bf6ebadf77d9, 0xaf87023b9bf0ee6b,
};

/* bits * 2^exponent */
struct scaled {
	uint64_t bits;
	int exponent;
};

static size_t write_unsigned(char *out, uint64_t value)
{
	static const char pairs[] = "00010203040506070809101112131415161718192021222324"
				    "25262728293031323334353637383940414243444546474849"
				    "50515253545556575859606162636465666768697071727374"
				    "75767778798081828384858687888990919293949596979899";
	char digits[20];
	size_t at = sizeof digits;

	for (; value >= 100; value /= 100)
		memcpy(digits + (at -= 2), pairs + value % 100 * 2, 2);
	if (value >= 10)
		memcpy(digits + (at -= 2), pairs + value * 2, 2);
	else
		digits[--at] = (char)('0' + value);
	memcpy(out, digits + at, sizeof digits - at);
	return sizeof digits - at;
}

size_t number_write_integer(char *out, int64_t integer)
{
	if (integer >= 0)
		return write_unsigned(out, (uint64_t)integer);
	*out = '-';
	return 1 + write_unsigned(out + 1, 0 - (uint64_t)integer);
}

/* --- Grisu2 --- */

static struct scaled normal(struct scaled x)
{
	int shift = __builtin_clzll(x.bits);

	return (struct scaled){x.bits << shift, x.exponent - shift};
}

/* The upper half of the product, rounded. */
static struct scaled product(struct scaled x, struct scaled y)
{
	uint64_t a = x.bits >> 32, b = x.bits & 0xFFFFFFFF;
	uint64_t c = y.bits >> 32, d = y.bits & 0xFFFFFFFF;
	uint64_t middle =
	    (b * d >> 32) + (a * d & 0xFFFFFFFF) + (b * c & 0xFFFFFFFF) + (UINT64_C(1) << 31);

	return (struct scaled){a * c + (a * d >> 32) + (b * c >> 32) + (middle >> 32),
			       x.exponent + y.exponent + 64};
}

/* The power of ten that brings an exponent of two into -60 ... -32; *decimal: which. */
static struct scaled power_for(int exponent, int *decimal)
{
	int least = -61 - exponent;
	int wanted = (int)(least * 0.30102999566398114) + (least > 0);
	int index = (wanted - POWER_FIRST - 1) / POWER_STEP + 1;
	int power = POWER_FIRST + index * POWER_STEP;

	*decimal = power;
	/* floor(power * log2(10)) - 63: the shift of a negative number rounds down */
	return (struct scaled){powers[index], (power * 217706 >> 16) - 63};
}

/* The last digit goes down while that comes closer to the number itself. */
static void closer(char *last, uint64_t distance, uint64_t width, uint64_t rest, uint64_t ten)
{
	while (rest < distance && width - rest >= ten &&
	       (rest + ten < distance || distance - rest > rest + ten - distance)) {
		(*last)--;
		rest += ten;
	}
}

static uint32_t first_ten(uint32_t value, int *count)
{
	uint32_t ten = 1;

	for (*count = 1; *count < 10 && value / ten >= 10; (*count)++)
		ten *= 10;
	return ten;
}

/* Digits of a number between low and high, near to exact. Gives their count; the number is
 * digits * 10^*decimal. */
static int generate(char *digits, int *decimal, struct scaled low, struct scaled exact,
		    struct scaled high)
{
	uint64_t width = high.bits - low.bits, distance = high.bits - exact.bits;
	int shift = -high.exponent, count, length = 0;
	uint64_t one = UINT64_C(1) << shift;
	uint32_t whole = (uint32_t)(high.bits >> shift);
	uint64_t part = high.bits & (one - 1);

	for (uint32_t ten = first_ten(whole, &count); count > 0; ten /= 10) {
		uint64_t rest;

		digits[length++] = (char)('0' + whole / ten);
		whole %= ten;
		rest = ((uint64_t)whole << shift) + part;
		count--;
		if (rest <= width) {
			*decimal += count;
			closer(&digits[length - 1], distance, width, rest, (uint64_t)ten << shift);
			return length;
		}
	}
	do {
		part *= 10;
		width *= 10;
		distance *= 10;
		digits[length++] = (char)('0' + (part >> shift));
		part &= one - 1;
		--*decimal;
	} while (part > width);
	closer(&digits[length - 1], distance, width, part, one);
	return length;
}

/* The digits of a positive number. */
static int digits_of(double real, char *digits, int *decimal)
{
	uint64_t raw, hidden = UINT64_C(1) << 52;
	struct scaled exact, low, high, power;

	memcpy(&raw, &real, sizeof raw);
	exact.bits = raw & (hidden - 1);
	exact.exponent = (int)(raw >> 52);
	/* Below a power of two the neighbours are half as far. */
	bool uneven = exact.bits == 0 && exact.exponent > 1;
	if (exact.exponent)
		exact.bits += hidden;
	else
		exact.exponent = 1;
	exact.exponent -= 1075;
	high = normal((struct scaled){exact.bits * 2 + 1, exact.exponent - 1});
	low = uneven ? (struct scaled){exact.bits * 4 - 1, exact.exponent - 2}
		     : (struct scaled){exact.bits * 2 - 1, exact.exponent - 1};
	low.bits <<= low.exponent - high.exponent;
	low.exponent = high.exponent;
	power = power_for(high.exponent, decimal);
	*decimal = -*decimal;
	high = product(high, power);
	low = product(low, power);
	high.bits--; /* the product is off by at most one */
	low.bits++;
	return generate(digits, decimal, low, product(normal(exact), power), high);
}

/* --- writing reals --- */

/* Plain decimals, as people write them: at most 15 digits, whose quotient by a power of ten is
 * exactly the number. 0: it has more. */
static size_t write_decimal(char *out, double real)
{
	for (size_t places = 1; places < 20; places++) {
		double shifted = real * number_tens[places];
		uint64_t digits;
		size_t length;

		if (shifted >= 1e15)
			return 0;
		digits = (uint64_t)(shifted + 0.5);
		if ((double)digits / number_tens[places] != real)
			continue;
		/* Whole and fraction apart; the fraction's leading zeros by a one before it. */
		length = write_unsigned(out, digits / (uint64_t)number_tens[places]);
		write_unsigned(out + length, digits % (uint64_t)number_tens[places] +
						 (uint64_t)number_tens[places]);
		out[length] = '.';
		return length + 1 + places;
	}
	return 0;
}

static size_t write_scientific(char *out, double real)
{
	char digits[20];
	int decimal;
	int count = digits_of(real, digits, &decimal);
	char *p = out;

	*p++ = digits[0];
	if (count > 1) {
		*p++ = '.';
		memcpy(p, digits + 1, (size_t)count - 1);
		p += count - 1;
	}
	*p++ = 'e';
	return (size_t)(p - out) + number_write_integer(p, decimal + count - 1);
}

/* 0.0001 to 2^53, with more than 15 digits */
static size_t write_long(char *out, double real)
{
	char digits[20];
	int decimal;
	int count = digits_of(real, digits, &decimal);
	int whole = count + decimal; /* digits before the point */
	char *p = out;

	if (whole <= 0) {
		memset(p, '0', (size_t)(2 - whole));
		p[1] = '.';
		p += 2 - whole;
		memcpy(p, digits, (size_t)count);
		return (size_t)(p - out) + (size_t)count;
	}
	memcpy(p, digits, (size_t)whole);
	p[whole] = '.';
	memcpy(p + whole + 1, digits + whole, (size_t)-decimal);
	return (size_t)count + 1;
}

size_t number_write_real(char *out, double real)
{
	size_t sign = 0, length;

	if (signbit(real)) {
		*out++ = '-';
		real = -real;
		sign = 1;
	}
	if (real < 0x1p53 && real == (double)(uint64_t)real)
		return sign + write_unsigned(out, (uint64_t)real);
	if (real < 1e-4 || real >= 0x1p53)
		return sign + write_scientific(out, real);
	length = write_decimal(out, real);
	return sign + (length ? length : write_long(out, real));
}
