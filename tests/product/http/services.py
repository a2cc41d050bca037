"""What clients of the services that Wavemill replaces do, with httpx; called with the server's address and a file."""

import sys
import time

import httpx

URL, FILE, BROKEN = sys.argv[1:4]
client = httpx.Client(base_url=URL, timeout=120)


def ok(response, status=200):
    assert response.status_code == status, (response.request.url, response.status_code, response.text)
    return response.json()


def problem(response, status):
    answer = ok(response, status)
    assert response.headers["content-type"] == "application/problem+json"
    assert answer["detail"] and "\n" not in answer["detail"], answer
    assert "/state/" not in response.text and "/tmp/" not in response.text, answer
    return answer


# Upload and metadata.
with open(FILE, "rb") as file:
    uploaded = ok(client.post("/api/audio/upload", files={"file": ("take 1.wav", file, "audio/wav")}))
file_id = uploaded["file_id"]
assert list(uploaded) == [
    "file_id", "file_name", "duration", "sample_rate", "channels", "format", "file_size", "bit_depth",
    "title", "artist", "album", "genre", "year", "bpm", "key_signature",
], list(uploaded)
assert uploaded["file_name"] == "take 1.wav" and uploaded["format"] == "WAV", uploaded
assert (uploaded["duration"], uploaded["sample_rate"], uploaded["channels"]) == (10.0, 48000, 2), uploaded
assert (uploaded["bit_depth"], uploaded["title"], uploaded["genre"]) == (16, "Monday", None), uploaded
assert ok(client.get(f"/api/audio/files/{file_id}/metadata?unknown=1")) == uploaded
with open(FILE, "rb") as file:
    plain = ok(client.post(
        "/api/audio/upload", files={"file": ("a.wav", file)}, data={"extract_metadata": "false"}))
assert plain["title"] is None and plain["duration"] == 10.0, plain
with open(BROKEN, "rb") as file:
    problem(client.post("/api/audio/upload", files={"file": ("a.wav", file)}), 422)
problem(client.post("/api/audio/upload", data={"extract_metadata": "true"}), 400)
problem(client.get("/api/audio/files/nothing/metadata"), 404)

# Analysis and waveform.
analysis = ok(client.get(f"/api/audio/files/{file_id}/analysis"))
assert list(analysis) == [
    "duration", "sample_rate", "channels", "loudness_lufs", "loudness_peak", "rms_level", "dynamic_range",
    "zero_crossings", "spectral_centroid", "spectral_bandwidth", "spectral_rolloff", "tempo", "key",
], list(analysis)
assert isinstance(analysis["zero_crossings"], int), analysis
assert abs(analysis["loudness_peak"] - analysis["rms_level"] - analysis["dynamic_range"]) < 0.01, analysis
waveform = ok(client.get(f"/api/audio/files/{file_id}/waveform"))
assert waveform["length"] == len(waveform["peaks"]) == 1000 and waveform["sample_rate"] == 48000
waveform = ok(client.get(f"/api/audio/files/{file_id}/waveform?target_length=17"))
assert len(waveform["peaks"]) == 17 and all(0 <= peak <= 1 for peak in waveform["peaks"])
# Of the mean of the channels.
assert max(waveform["peaks"]) <= 10 ** (analysis["loudness_peak"] / 20) + 1e-3, waveform
problem(client.get(f"/api/audio/files/{file_id}/waveform?target_length=0"), 400)

# Exports.
for settings, path in [
    ({}, "plain.wav"),
    ({"format": "flac", "sample_rate": 48000, "bit_depth": 24}, "a/b.flac"),
    ({"format": "mp3", "quality": 192, "bit_depth": 16}, "c.mp3"),
    ({"format": "ogg"}, "d.ogg"),
    ({"format": "aiff", "dither": "shaped", "normalize": True, "normalize_target": -3.0,
      "trim_silence": True, "fade_in": 0.5, "fade_out": 1.0}, "e {x}.aiff"),
]:
    answer = ok(client.post("/api/audio/export", json={
        "file_id": file_id, "output_path": path, "settings": settings, "start_time": 1.0, "end_time": 3.5}))
    assert answer == {"output_path": path}, answer
    again = ok(client.post("/api/audio/export", json={
        "file_id": file_id, "output_path": path, "settings": settings, "start_time": 1.0, "end_time": 3.5}))
    assert again == answer
problem(client.post("/api/audio/export", json={"file_id": file_id, "output_path": "../x.wav"}), 403)
problem(client.post("/api/audio/export", json={"file_id": file_id, "output_path": "/etc/x.wav"}), 403)
problem(client.post("/api/audio/export", json={
    "file_id": file_id, "output_path": "x.xyz", "settings": {"format": "xyz"}}), 422)
problem(client.post("/api/audio/export", json={"output_path": "x.wav"}), 400)

# Batches.
batch = ok(client.post("/api/audio/batch/create", json={
    "input_files": [file_id, plain["file_id"]], "export_settings": {"format": "flac"},
    "output_directory": "batch"}))
job_id = batch["job_id"]
state = ok(client.get(f"/api/audio/batch/{job_id}"))
assert state == {"job_id": job_id, "status": "pending", "progress": 0.0, "completed_files": 0,
                 "failed_files": 0, "start_time": None, "end_time": None}, state
assert "message" in ok(client.post(f"/api/audio/batch/{job_id}/process"))
problem(client.post(f"/api/audio/batch/{job_id}/process"), 409)
for _ in range(600):
    state = ok(client.get(f"/api/audio/batch/{job_id}"))
    if state["status"] in ("completed", "failed"):
        break
    time.sleep(0.1)
assert (state["status"], state["progress"], state["completed_files"]) == ("completed", 1.0, 2), state
assert time.time() - 600 < state["start_time"] <= state["end_time"] <= time.time() + 1, state
problem(client.post("/api/audio/batch/create", json={
    "input_files": ["/etc/passwd"], "output_directory": "x"}), 403)

# Regions: the second half of a file that overlaps the first by a second.
regions = []
for start, gain in [(0.0, 1.0), (9.0, 0.5)]:
    regions.append(ok(client.post("/api/audio/regions", data={
        "track_id": "song", "file_id": file_id, "start_time": start, "name": "take", "gain": gain})))
assert [region["start_time"] for region in ok(client.get("/api/audio/regions/track/song"))] == [0.0, 9.0]
answer = ok(client.post("/api/audio/regions/track/song/render", json={
    "output_path": "song.wav", "settings": {"sample_rate": 48000}}))
assert answer == {"output_path": "song.wav"}
region_id = regions[1]["region_id"]
ok(client.post(f"/api/audio/regions/{region_id}/render", json={"output_path": "region.wav"}))
ok(client.delete(f"/api/audio/regions/{region_id}"))
problem(client.delete(f"/api/audio/regions/{region_id}"), 404)
problem(client.post("/api/audio/regions", data={"start_time": "1"}), 400)
silent = ok(client.post("/api/audio/regions", files={"track_id": (None, "b"), "start_time": (None, "1.5")}))
assert silent["gain"] == 1.0 and silent["file_id"] is None, silent

# Formats.
extensions = ok(client.get("/api/audio/formats"))
assert {"wav", "aiff", "flac", "mp3", "ogg"} <= set(extensions), extensions
for extension in extensions:
    form = ok(client.get(f"/api/audio/formats/{extension}"))
    assert set(form) == {"name", "extension", "compression", "quality", "max_sample_rate", "max_bit_depth",
                         "supported_bit_depths", "file_size_estimate"}, form
problem(client.get("/api/audio/formats/xyz"), 404)

# Mastering analysis.
with open(FILE, "rb") as file:
    begun = ok(client.post("/api/analyze", files={"file": ("mix.wav", file)},
                           data={"genre": "rock", "recommendation_level": "assertive"}))
for _ in range(600):
    found = ok(client.get(f"/api/analysis/{begun['id']}"))
    if found["status"] != "processing":
        break
    time.sleep(0.1)
assert found["status"] == "completed", found
assert [band["band"] for band in found["band_metrics"]] == ["low", "low_mid", "mid", "high_mid", "high"]
assert abs(sum(band["energy_share"] or 0 for band in found["band_metrics"]) - 1) < 1e-6
assert found["overall_metrics"]["integrated_loudness"] == analysis["loudness_lufs"], found
assert found["recommendations"] and all(
    {"band", "level", "text", "values"} <= set(one) for one in found["recommendations"]), found
similar = ok(client.post(f"/api/similarity/{begun['id']}?genre=rock&top_k=3"))
assert similar == {"analysis_id": begun["id"], "results": []}, similar
assert ok(client.get("/api/references?genre=rock")) == []

# The server.
for path in ["/health", "/api/audio/health"]:
    assert ok(client.get(path))["status"] == "healthy"
assert ok(client.get("/api/audio/statistics"))["uploads"] == 3
assert "wavemill_" in client.get("/metrics").text
assert ok(client.get("/openapi.json"))["openapi"].startswith("3.1")

# Resumable uploads.
with open(FILE, "rb") as file:
    data = file.read()
begun = ok(client.post("/v1/uploads", json={"name": "part.wav", "size_bytes": len(data)}))
half = len(data) // 2
url = f"/v1/uploads/{begun['id']}"
ok(client.post(f"{url}/bytes?offset=0", content=data[:half]))
problem(client.post(f"{url}/bytes?offset=0", content=data), 409)
assert ok(client.get(url))["received_bytes"] == half
complete = ok(client.post(f"{url}/bytes?offset={half}", content=data[half:]))
assert complete["is_complete"] and complete["metadata"]["duration"] == 10.0, complete
content = client.get(f"/v1/files/content?file={begun['id']}", headers={"range": "bytes=4-7"})
assert content.status_code == 206 and content.content == data[4:8]
print("all paths answered as documented")
