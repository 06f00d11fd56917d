using Microsoft.Win32.SafeHandles;

namespace LServe.Stores.Local;

/// <summary>The file system itself.</summary>
/// <param name="atPoint">Called with each point's name before what happens there.</param>
internal sealed class DiskFiles(Action<string>? atPoint = null) : IStoreFiles
{
    public SafeFileHandle OpenToAppend(string path) => File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);

    public void Write(string point, SafeFileHandle file, IReadOnlyList<ReadOnlyMemory<byte>> pieces, long offset)
    {
        Pass(point);
        RandomAccess.Write(file, pieces, offset);
    }

    public void Truncate(string point, SafeFileHandle file, long length)
    {
        Pass(point);
        RandomAccess.SetLength(file, length);
    }

    public void Sync(string point, SafeFileHandle file)
    {
        Pass(point);
        RandomAccess.FlushToDisk(file);
    }

    public void SyncFolder(string point, string folder)
    {
        Pass(point);
        FolderSync.Run(folder);
    }

    public void Rename(string point, string from, string to)
    {
        Pass(point);
        File.Move(from, to, overwrite: true);
    }

    public void Delete(string point, string path)
    {
        Pass(point);
        File.Delete(path);
    }

    public void Pass(string point) => atPoint?.Invoke(point);
}
