// The camera: it is asked for only when its button is pressed.
"use strict";

let stream = null;
const view = $("view");

async function startCamera() {
  complain("");
  $("camera").disabled = true; // or a second press would leave the first camera on
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1280 }, facingMode: "user" } });
    view.srcObject = stream;
    $("shot").hidden = false;
    await view.play();
    $("shoot").focus();
  } catch {
    if (stream) stopCamera();
    $("camera").disabled = false;
    complain(words.noCamera);
  }
}

function stopCamera() {
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = view.srcObject = null;
  $("shot").hidden = true;
  $("camera").disabled = false;
  $("camera").focus();
}

function shoot() {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [view.videoWidth, view.videoHeight];
  if (!canvas.width) return;
  canvas.getContext("2d").drawImage(view, 0, 0);
  canvas.toBlob((blob) => {
    stopCamera();
    score([new File([blob], "camera.jpg", { type: "image/jpeg" })]);
  }, "image/jpeg", 0.95);
}

$("camera").hidden = !navigator.mediaDevices?.getUserMedia;
$("camera").addEventListener("click", startCamera);
$("stop").addEventListener("click", stopCamera);
$("shoot").addEventListener("click", shoot);
