{{/*
What every store chart of Urumi has in common. The file is the same in all of them, byte for byte; a test holds that.

Named templates take a dict: `root` (the chart's own scope), `component`, and where an image is involved `image`
(a `repository`, `tag`, `pullPolicy` from the values).
*/}}

{{/* The labels that find pods. They never change while a store lives, as selectors are immutable. */}}
{{- define "urumi.selectorLabels" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{/*
The labels of a pod. Whatever stands here restarts the pod when it changes, so the version is that of the pod's own
image and helm.sh/chart is left out: a new chart version must not restart a database.
*/}}
{{- define "urumi.podLabels" -}}
{{ include "urumi.selectorLabels" . }}
app.kubernetes.io/version: {{ include "urumi.tag" . | splitList "@" | first | trunc 63 | trimAll "-_." | quote }}
app.kubernetes.io/part-of: urumi
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
urumi.ai/managed-store: "true"
urumi.ai/storeId: {{ .root.Values.store.id | quote }}
{{- end }}

{{/* The labels of an object. */}}
{{- define "urumi.labels" -}}
{{ include "urumi.podLabels" . }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimAll "-_." }}
{{- end }}

{{/*
What an object carries besides its labels: the platform's digest of chart and values, and the annotations `more`. An
object without the digest that should be there is not what should be there, however ready it looks. It comes with its
own line break and the indentation of metadata.
*/}}
{{- define "urumi.annotations" -}}
{{- $mark := dict }}
{{- with .root.Values.store.digest }}
{{- $mark = dict "urumi.ai/digest" . }}
{{- end }}
{{- with merge $mark (.more | default dict) }}
  annotations:
    {{- toYaml . | nindent 4 }}
{{- end }}
{{- end }}

{{/* The metadata of a pod template. */}}
{{- define "urumi.podMetadata" -}}
labels:
  {{- include "urumi.podLabels" . | nindent 2 }}
{{- with .root.Values.podAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* The tag of an image; without one, or without an image, the chart's appVersion. */}}
{{- define "urumi.tag" -}}
{{- dig "tag" "" (default dict .image) | default .root.Chart.AppVersion -}}
{{- end }}

{{/* The image of a container; of one that fails, its last words become part of its status, and so of the timeline. */}}
{{- define "urumi.image" -}}
{{- $tag := include "urumi.tag" . }}
{{- if hasPrefix "latest" $tag }}
{{- fail (printf "%s has the tag %q: expected a fixed version, as \"latest\" is another image every week" .image.repository $tag) }}
{{- end }}
image: {{ printf "%s:%s" .image.repository $tag | quote }}
imagePullPolicy: {{ .image.pullPolicy }}
terminationMessagePolicy: FallbackToLogsOnError
{{- end }}

{{/*
What every pod says about itself: no token, no service variables (a Service called `redis` would inject REDIS_PORT),
and Pod Security "restricted" with the user `runAsUser`, who also owns the volumes.
*/}}
{{- define "urumi.podSettings" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: {{ .runAsUser }}
  runAsGroup: {{ .runAsUser }}
  fsGroup: {{ .runAsUser }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* The container half of Pod Security "restricted", plus a root filesystem that nothing can write to. */}}
{{- define "urumi.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop:
      - ALL
{{- end }}

{{/* One environment variable `name` from the key `key` of the Secret `secret`. */}}
{{- define "urumi.secretVariable" -}}
- name: {{ .name }}
  valueFrom:
    secretKeyRef:
      name: {{ .secret }}
      key: {{ .key }}
{{- end }}

{{/* Who the store is: for every container of ours. */}}
{{- define "urumi.storeVariables" -}}
- name: URUMI_STORE_ID
  value: {{ .Values.store.id | quote }}
- name: URUMI_STORE_TITLE
  value: {{ .Values.store.title | default .Values.store.id | quote }}
- name: URUMI_STORE_URL
  value: {{ include "urumi.url" . | quote }}
{{- end }}

{{/* Who administers the store: only for the init container that makes the account. */}}
{{- define "urumi.adminVariables" -}}
{{- $secret := .Values.store.adminSecret }}
{{- include "urumi.secretVariable" (dict "name" "URUMI_ADMIN_USERNAME" "secret" $secret "key" "username") }}
{{ include "urumi.secretVariable" (dict "name" "URUMI_ADMIN_PASSWORD" "secret" $secret "key" "password") }}
- name: URUMI_ADMIN_EMAIL
  value: {{ include "urumi.adminEmail" . | quote }}
{{- end }}

{{/* The store's address, without a slash at the end. */}}
{{- define "urumi.url" -}}
{{ .Values.store.scheme }}://{{ .Values.store.host }}
{{- end }}

{{- define "urumi.adminEmail" -}}
{{ .Values.store.adminEmail | default (printf "admin@%s" .Values.store.host) }}
{{- end }}

{{/*
An HTTP probe from `probe` (path, periodSeconds, timeoutSeconds, failureThreshold). It names the host and the scheme of
the store: without them a shop answers with a redirect to its real address, and a redirect counts as success.
*/}}
{{- define "urumi.httpProbe" -}}
httpGet:
  path: {{ .probe.path | quote }}
  port: http
  httpHeaders:
    - name: Host
      value: {{ .root.Values.store.host | quote }}
    - name: X-Forwarded-Proto
      value: {{ .root.Values.store.scheme }}
{{ omit .probe "path" | toYaml }}
{{- end }}

{{/* The startup, readiness and liveness HTTP probes of a container, from `probes`. */}}
{{- define "urumi.httpProbes" -}}
startupProbe:
  {{- include "urumi.httpProbe" (dict "root" .root "probe" .probes.startup) | nindent 2 }}
readinessProbe:
  {{- include "urumi.httpProbe" (dict "root" .root "probe" .probes.readiness) | nindent 2 }}
livenessProbe:
  {{- include "urumi.httpProbe" (dict "root" .root "probe" .probes.liveness) | nindent 2 }}
{{- end }}

{{/*
A volume claim `name` of `size`. It is an object of its own and not a volumeClaimTemplate, which can never be changed:
this one can grow, and take new labels, in an upgrade. It outlives an uninstall; deleting the namespace deletes it.
*/}}
{{- define "urumi.volumeClaim" -}}
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: {{ .name }}
  labels:
    {{- include "urumi.labels" . | nindent 4 }}
  {{- include "urumi.annotations" (dict "root" .root "more" (dict "helm.sh/resource-policy" "keep")) }}
spec:
  accessModes:
    - ReadWriteOnce
  {{- with .root.Values.storage.className }}
  storageClassName: {{ . | quote }}
  {{- end }}
  resources:
    requests:
      storage: {{ .size }}
{{- end }}

{{/* The one Ingress of a store, for its one host. `routes` is a list of dicts with path, service and port. */}}
{{- define "urumi.ingress" -}}
{{- $values := .root.Values }}
{{- if and $values.ingress.tls.enabled (ne $values.store.scheme "https") }}
{{- fail (printf "ingress.tls.enabled is true but store.scheme is %q: expected \"https\", or every link of the store would leave TLS" $values.store.scheme) }}
{{- end }}
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: {{ .component }}
  labels:
    {{- include "urumi.labels" . | nindent 4 }}
  {{- include "urumi.annotations" (dict "root" .root "more" $values.ingress.annotations) }}
spec:
  {{- with $values.ingress.className }}
  ingressClassName: {{ . | quote }}
  {{- end }}
  {{- if $values.ingress.tls.enabled }}
  tls:
    - hosts:
        - {{ $values.store.host | quote }}
      {{- with $values.ingress.tls.secretName }}
      secretName: {{ . | quote }}
      {{- end }}
  {{- end }}
  rules:
    - host: {{ $values.store.host | quote }}
      http:
        paths:
          {{- range .routes }}
          - path: {{ .path }}
            pathType: Prefix
            backend:
              service:
                name: {{ .service }}
                port:
                  name: {{ .port }}
          {{- end }}
{{- end }}
