#include <errno.h>
#include <lauxlib.h>
#include <string.h>

#include "service/http/answer.h"
#include "service/http/file_fields.h"
#include "service/http/file_job.h"
#include "service/http/mime.h"
#include "service/http/request.h"
#include "service/vm.h"

/* The answer { file = path }: opened and read on the pool, a block at a time, and none while the
 * peer does not read. The stack of the task: 2 request, then what the handler returned and what was
 * read of it; the userdata luvd.http.file is at the index that is the context of the waits. */

static const char meta[] = "luvd.http.file";

struct sending {
	struct answer answer; /* the strings and tables it points to are on the stack */
	struct file_job *job;
	struct task *task;            /* waits for the job */
	uint64_t offset;              /* of what is sent next */
	char extra[ANSWER_EXTRA_MAX]; /* fields of the head */
};

static void drop(struct sending *sending)
{
	if (sending->job)
		fs_request_drop(&sending->job->request);
	sending->job = NULL;
}

static int l_close(lua_State *L)
{
	drop(luaL_checkudata(L, 1, meta));
	return 0;
}

void file_open(lua_State *L)
{
	if (luaL_newmetatable(L, meta)) {
		lua_pushcfunction(L, l_close);
		lua_setfield(L, -2, "__gc");
		lua_pushcfunction(L, l_close);
		lua_setfield(L, -2, "__close");
	}
	lua_pop(L, 1);
}

/* --- waiting for the pool --- */

static void on_done(struct fs_request *request)
{
	struct sending *sending = ((struct file_job *)request)->data;

	if (sending->task)
		task_wake(sending->task);
}

static void detach(struct task *task)
{
	struct sending *sending = task->object;

	sending->task = NULL;
}

static int submit(lua_State *L, struct sending *sending, lua_KContext index, lua_KFunction k)
{
	struct task *task = task_check(L);

	sending->task = task;
	fs_request_submit(task->vm, &sending->job->request);
	return task_wait(L, task, sending, detach, -1, index, k);
}

/* --- the body --- */

static int has_block(lua_State *L, int status, lua_KContext index);
static int has_room(lua_State *L, int status, lua_KContext index);

/* What the job has read is sent, as far as it is wanted. */
static int send_block(struct http_conn *hc, struct sending *sending)
{
	const struct file_job *job = sending->job;
	size_t from = (size_t)(sending->offset - job->offset);
	size_t length = job->length - from;

	if (length > hc->left)
		length = (size_t)hc->left;
	hc->left -= length;
	hc->sent += length;
	sending->offset += length;
	return batch_put(hc, job->bytes + from, length);
}

static bool has_more(const struct sending *sending)
{
	const struct file_job *job = sending->job;

	return job->bytes && sending->offset >= job->offset &&
	       sending->offset < job->offset + job->length;
}

static int go_on(lua_State *L, lua_KContext index)
{
	struct sending *sending = lua_touserdata(L, (int)index);
	struct http_conn *hc = answer_owner(L);

	if (!hc)
		return 0;
	if (has_more(sending) && hc->left > 0 && send_block(hc, sending) < 0)
		return 0;
	if (hc->left == 0) {
		hc->answered = true;
		if (!hc->looping)
			batch_flush(hc->http);
		return 0;
	}
	batch_flush(hc->http);
	if (http_conn_stalled(hc))
		return answer_wait_for_room(L, hc, index, has_room);
	if (file_job_read(sending->job, sending->offset) < 0)
		return luaL_error(L, "not enough memory");
	return submit(L, sending, index, has_block);
}

static int has_room(lua_State *L, int status, lua_KContext index)
{
	(void)status;
	return go_on(L, index);
}

/* What raises here makes the connection end in the middle: the peer must not take a part for the
 * whole. */
static int has_block(lua_State *L, int status, lua_KContext index)
{
	const struct sending *sending = lua_touserdata(L, (int)index);
	int result = sending->job->request.result;

	(void)status;
	if (result < 0)
		return luaL_error(L, "cannot read %s: %s", sending->job->path, strerror(-result));
	if (result == 0)
		return luaL_error(L, "%s has become shorter while it was sent", sending->job->path);
	return go_on(L, index);
}

/* --- the head --- */

static int answer_file(lua_State *L, struct http_conn *hc, lua_KContext index)
{
	struct sending *sending = lua_touserdata(L, (int)index);
	const struct stat *stat = &sending->job->stat;
	struct answer *answer = &sending->answer;
	uint64_t first = 0, last = 0, length = (uint64_t)stat->st_size;
	struct condition condition = {
	    .size = length, .modified = stat->st_mtim, .now = clock_seconds(&vm_of(L)->clock)};

	if (answer->headers) /* others may have written into the table meanwhile */
		answer_check_headers(L, answer);
	answer->status =
	    file_status(lua_touserdata(L, 2), answer->status, &condition, &first, &last);
	file_write_fields(sending->extra, answer->status, &condition, first, last);
	answer->extra = sending->extra;
	if (answer->status == 206)
		length = last - first + 1;
	else if (answer->status == 416)
		length = 0;
	answer->type = answer->status == 416 ? NULL : mime_type(sending->job->name);
	answer->declared = true;
	answer->declared_length = length;
	answer_head(L, hc, answer, false);
	hc->left = hc->head_only || answer->status == 304 || answer->status == 204 ? 0 : length;
	sending->offset = first;
	return go_on(L, index);
}

/* --- what is no file --- */

static int refuse(struct http_conn *hc, int status)
{
	answer_plain(hc, status);
	if (!hc->looping)
		batch_flush(hc->http);
	return 0;
}

static int redirect(lua_State *L, struct http_conn *hc, struct answer *answer)
{
	luaL_checkstack(L, 4, NULL);
	lua_createtable(L, 0, 1);
	location_push(L, lua_touserdata(L, 2));
	lua_setfield(L, -2, "Location");
	*answer = (struct answer){
	    .status = 301, .kind = ANSWER_BYTES, .bytes = "", .headers = lua_gettop(L)};
	answer_head(L, hc, answer, false);
	hc->answered = true;
	if (!hc->looping)
		batch_flush(hc->http);
	return 0;
}

static int has_opened(lua_State *L, int status, lua_KContext index)
{
	struct sending *sending = lua_touserdata(L, (int)index);
	struct http_conn *hc = answer_owner(L);
	struct file_job *job = sending->job;

	(void)status;
	if (!hc)
		return 0;
	switch (-job->request.result) {
	case 0:
		if (!S_ISDIR(job->stat.st_mode))
			return answer_file(L, hc, index);
		return job->folder ? redirect(L, hc, &sending->answer) : refuse(hc, 403);
	case ENOENT:
	case ENOTDIR:
	case ENAMETOOLONG:
	case ELOOP: /* a link */
	case ENXIO: /* a socket */
		return refuse(hc, 404);
	case EACCES:
	case EPERM:
	case EINVAL: /* no regular file */
		return refuse(hc, 403);
	default:
		return luaL_error(L, "cannot open %s: %s", job->path,
				  strerror(-job->request.result));
	}
}

/* --- the beginning --- */

static bool ends_with_slash(const struct request *request)
{
	return request->bytes[request->path.at + request->path.length - 1] == '/';
}

int file_begin(lua_State *L, struct http_conn *hc, const struct answer *answer)
{
	struct sending *sending;

	luaL_checkstack(L, 8, NULL);
	sending = lua_newuserdatauv(L, sizeof *sending, 0);
	*sending = (struct sending){.answer = *answer};
	sending->answer.scratch = NULL; /* of the caller's frame */
	luaL_setmetatable(L, meta);
	lua_toclose(L, -1);
	sending->job = file_job_create(answer->folder, answer->file, answer->index,
				       ends_with_slash(lua_touserdata(L, 2)));
	if (!sending->job || (!hc->head_only && file_job_read(sending->job, 0) < 0))
		return luaL_error(L, "not enough memory");
	sending->job->data = sending;
	sending->job->request.done = on_done;
	return submit(L, sending, lua_gettop(L), has_opened);
}
