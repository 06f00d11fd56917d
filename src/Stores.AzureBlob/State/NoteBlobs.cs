using System.Text.Json;
using System.Text.Json.Serialization;
using Azure;
using Azure.Storage.Blobs;
using LServe.Contracts;

namespace LServe.Stores.AzureBlob;

/// <summary>How far answers in progress are. A note names the commit that it goes on from: with the next one it is void, and a commit needn't remove it.</summary>
internal sealed class NoteBlobs(BlobContainerClient container)
{
    public async Task WriteAsync(SessionKey key, string commit, InterruptedAnswer answer, CancellationToken cancellation)
    {
        var note = JsonSerializer.SerializeToUtf8Bytes(new Note(commit, answer.TurnId, answer.Text, answer.Tokens), NoteJson.Default.Note);
        await BlobOf(key).UploadAsync(new BinaryData(note), overwrite: true, cancellation);
    }

    /// <summary>The note and the commit that it goes on from; null when there is none, or it can't be read.</summary>
    public async Task<(string Commit, InterruptedAnswer Answer)?> ReadAsync(SessionKey key, CancellationToken cancellation)
    {
        try
        {
            var blob = await BlobOf(key).DownloadContentAsync(cancellation);
            var note = JsonSerializer.Deserialize(blob.Value.Content.ToMemory().Span, NoteJson.Default.Note);
            return note is null ? null : (note.Commit, new(note.Turn, note.Text, note.Tokens));
        }
        catch (RequestFailedException missing) when (StateBlobs.IsMissing(missing))
        {
            return null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    public async Task<bool> DeleteAsync(SessionKey key, CancellationToken cancellation) => await BlobOf(key).DeleteIfExistsAsync(cancellationToken: cancellation);

    private BlobClient BlobOf(SessionKey key) => container.GetBlobClient(BlobNames.NoteOf(key));
}

internal sealed record Note(string Commit, string Turn, string Text, int Tokens);

[JsonSerializable(typeof(Note))]
internal sealed partial class NoteJson : JsonSerializerContext;
