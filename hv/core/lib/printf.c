// SPDX-License-Identifier: GPL-2.0-only
/* Formatting of text. No floating point, no locale. */
#include "printf.h"
#include "string.h"

struct out {
	char *buf;
	size_t size;
	size_t len;
};

struct spec {
	bool left, zero, upper;
	int width;
	int prec;		/* -1: none */
	int longs;		/* 0: int, 1: long, 2: long long */
};

static void put(struct out *o, char c)
{
	if (o->len + 1 < o->size)
		o->buf[o->len] = c;
	o->len++;
}

static void pad(struct out *o, char c, int n)
{
	for (; n > 0; n--)
		put(o, c);
}

static void put_str(struct out *o, const struct spec *s, const char *str)
{
	size_t n, i;

	if (!str)
		str = "(null)";
	n = s->prec >= 0 ? strnlen(str, s->prec) : strlen(str);
	if (!s->left)
		pad(o, ' ', s->width - (int)n);
	for (i = 0; i < n; i++)
		put(o, str[i]);
	if (s->left)
		pad(o, ' ', s->width - (int)n);
}

static void put_num(struct out *o, const struct spec *s, u64 v, u32 base, bool neg)
{
	const char *digits = s->upper ? "0123456789ABCDEF" : "0123456789abcdef";
	char tmp[24];
	int n = 0, total;

	do {
		tmp[n++] = digits[v % base];
		v /= base;
	} while (v);
	total = n + neg;
	if (!s->left && !s->zero)
		pad(o, ' ', s->width - total);
	if (neg)
		put(o, '-');
	if (!s->left && s->zero)
		pad(o, '0', s->width - total);
	while (n)
		put(o, tmp[--n]);
	if (s->left)
		pad(o, ' ', s->width - total);
}

static u64 get_unsigned(const struct spec *s, va_list *ap)
{
	if (s->longs >= 2)
		return va_arg(*ap, unsigned long long);
	if (s->longs == 1)
		return va_arg(*ap, unsigned long);
	return va_arg(*ap, unsigned int);
}

static s64 get_signed(const struct spec *s, va_list *ap)
{
	if (s->longs >= 2)
		return va_arg(*ap, long long);
	if (s->longs == 1)
		return va_arg(*ap, long);
	return va_arg(*ap, int);
}

static int get_count(const char **fmt, va_list *ap)
{
	int n = 0;

	if (**fmt == '*') {
		(*fmt)++;
		return va_arg(*ap, int);
	}
	while (**fmt >= '0' && **fmt <= '9')
		n = n * 10 + *(*fmt)++ - '0';
	return n;
}

static struct spec get_spec(const char **fmt, va_list *ap)
{
	struct spec s = { .prec = -1 };

	for (;; (*fmt)++) {
		if (**fmt == '-')
			s.left = true;
		else if (**fmt == '0')
			s.zero = true;
		else
			break;
	}
	s.width = get_count(fmt, ap);
	if (**fmt == '.') {
		(*fmt)++;
		s.prec = get_count(fmt, ap);
	}
	for (;; (*fmt)++) {
		if (**fmt == 'l')
			s.longs++;
		else if (**fmt == 'z')
			s.longs = 1;
		else if (**fmt != 'h')	/* promoted to int anyway */
			break;
	}
	return s;
}

static void put_conversion(struct out *o, char c, struct spec *s, va_list *ap)
{
	s64 v;

	switch (c) {
	case 'd':
	case 'i':
		v = get_signed(s, ap);
		put_num(o, s, v < 0 ? -(u64)v : (u64)v, 10, v < 0);
		break;
	case 'u':
		put_num(o, s, get_unsigned(s, ap), 10, false);
		break;
	case 'X':
		s->upper = true;
		/* fall through */
	case 'x':
		put_num(o, s, get_unsigned(s, ap), 16, false);
		break;
	case 'p':
		s->width = 16;
		s->zero = true;
		put_num(o, s, (u64)(uintptr_t)va_arg(*ap, void *), 16, false);
		break;
	case 's':
		put_str(o, s, va_arg(*ap, const char *));
		break;
	case 'c':
		put(o, (char)va_arg(*ap, int));
		break;
	default:
		put(o, '%');
		if (c != '%')
			put(o, c);
	}
}

int bp_vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct out o = { buf, size, 0 };
	struct spec s;
	va_list args;

	va_copy(args, ap);
	while (*fmt) {
		if (*fmt != '%') {
			put(&o, *fmt++);
			continue;
		}
		fmt++;
		s = get_spec(&fmt, &args);
		if (!*fmt)
			break;
		put_conversion(&o, *fmt++, &s, &args);
	}
	va_end(args);
	if (size)
		buf[o.len < size ? o.len : size - 1] = 0;
	return (int)o.len;
}

int bp_snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = bp_vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}
