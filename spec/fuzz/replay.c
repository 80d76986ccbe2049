#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* libFuzzer's part where there is none: runs each file of a folder once through a target. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In memory of its exact size, so that a sanitizer sees a byte too far. */
static uint8_t *read_file(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = NULL;
	long length;

	if (!file)
		return NULL;
	if (fseek(file, 0, SEEK_END) == 0 && (length = ftell(file)) >= 0) {
		rewind(file);
		*size = (size_t)length;
		data = malloc(*size ? *size : 1);
		if (data && fread(data, 1, *size, file) != *size) {
			free(data);
			data = NULL;
		}
	}
	(void)fclose(file);
	return data;
}

static bool run_file(const char *folder, const char *name)
{
	char path[4096];
	uint8_t *data;
	size_t size = 0;

	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	data = read_file(path, &size);
	if (!data) {
		(void)fprintf(stderr, "cannot read '%s'\n", path);
		return false;
	}
	(void)fprintf(stderr, "%s\n", name); /* the last one named is the one that crashed */
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	return true;
}

int main(int argc, char **argv)
{
	DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
	const struct dirent *entry;
	int count = 0;
	bool good = true;

	if (!folder) {
		(void)fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
		return 2;
	}
	while (good && (entry = readdir(folder))) {
		if (entry->d_name[0] == '.')
			continue;
		good = run_file(argv[1], entry->d_name);
		count++;
	}
	(void)closedir(folder);
	(void)fprintf(stderr, "%d files\n", count);
	return good && count > 0 ? 0 : 1; /* an empty corpus has tested nothing */
}
